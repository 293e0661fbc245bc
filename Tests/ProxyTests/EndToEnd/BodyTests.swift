import Ledger
import NIOCore
import Primitives
import Proxy
import Testing

@Suite("Request bodies and their repetition", .mayBlock)
struct BodyTests {
    static func body(_ count: Int) -> [UInt8] {
        var value: UInt32 = 1
        return [UInt8](capacity: count) { output in
            for _ in 0..<count {
                value = value &* 1_664_525 &+ 1_013_904_223
                output.append(UInt8(value >> 24))
            }
        }
    }

    @Test(
        "the paid repetition has the same body, from memory or from the file",
        arguments: [1000, 1 << 20, 5 << 20, 20 << 20])
    func replay(size: Int) async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "ok"))
        try await Lab.run(upstream) { lab async throws in
            let body = Self.body(size)
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: size))
            try wire.send(body)
            #expect(try wire.readResponse().text == "ok")
            let requests = try Requests(upstream.received[0]).all
            #expect(requests.count == 2)
            for request in requests {
                let isSame = request.raw == body
                #expect(isSame)
            }
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("a chunked body is repeated chunk by chunk", arguments: [7, 700, 5000])
    func chunkedReplay(chunk: Int) async throws {
        var options = Lab.Options()
        options.replay.memory = 10_000
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "ok"))
        try await Lab.run(options, upstream) { lab async throws in
            let body = Self.body(20_000)
            var coded: [UInt8] = []
            for start in stride(from: 0, to: body.count, by: chunk) {
                let piece = body[start..<min(start + chunk, body.count)]
                coded += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + [13, 10]
            }
            coded += Array("0\r\n\r\n".utf8)
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", ["transfer-encoding: chunked"]))
            for start in stride(from: 0, to: coded.count, by: 3001) {
                try wire.send(Array(coded[start..<min(start + 3001, coded.count)]))
            }
            #expect(try wire.readResponse().text == "ok")
            let requests = try Requests(upstream.received[0]).all
            #expect(requests.count == 2)
            let areSame = requests.allSatisfy { $0.raw == coded && $0.content == body }
            #expect(areSame)
        }
    }

    @Test("a body of tiny pieces is kept and repeated whole")
    func tinyPieces() async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()], body: "ok"))
        try await Lab.run(upstream) { lab async throws in
            let body = Self.body(300)
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: body.count))
            for byte in body { try wire.send([byte]) }
            #expect(try wire.readResponse().text == "ok")
            let isSame = try Requests(upstream.received[0]).all.map(\.raw) == [body, body]
            #expect(isSame)
        }
    }

    @Test("a body above the limit streams through when nothing is asked for it")
    func aboveLimitFree() async throws {
        var options = Lab.Options()
        options.replay.total = 100_000
        let upstream = try ScriptedUpstream.serving { Respond.with(200, body: "\($0.raw.count)") }
        try await Lab.run(options, upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: String(repeating: "x", count: 500_000)).text == "500000")
        }
    }

    /// A limit of replay copies, and what an agent is told whose body exceeds it.
    struct Limit: Sendable {
        var total = 1 << 30
        var memory = 1 << 30
        var inMemory = 1 << 20
        var spool = 1 << 30
        var freeDisk = 0
        let code: String
    }

    @Test(
        "a body that is not kept is not paid for, and the answer says what it was too large for",
        arguments: [
            Limit(total: 100_000, code: "body-too-large-to-replay"), Limit(memory: 1000, code: "replay-memory-full"),
            Limit(inMemory: 1000, spool: 600_000, code: "spool-full"),
            Limit(inMemory: 1000, freeDisk: 1 << 60, code: "spool-full"),
        ])
    func aboveLimit(limit: Limit) async throws {
        var options = Lab.Options()
        options.replay.total = limit.total
        options.replay.memory = limit.inMemory
        options.replay.spoolTotal = limit.spool
        options.replay.freeDisk = limit.freeDisk
        options.replayMemory = limit.memory
        try await Lab.run(options, try Seller.serving(Respond.with(200))) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: String(repeating: "x", count: 500_000))
            let isLength = limit.code == "body-too-large-to-replay"
            #expect(response.status == (isLength ? 402 : 503))
            #expect(response["payment-required"].count == (isLength ? 1 : 0))
            #expect(response["retry-after"] == (isLength ? [] : ["1"]))
            #expect(try JSONReader.read(response.content)["error"]?["code"]?.string == limit.code)
            #expect(try await lab.payments().map(\.state) == [.refused])
            // The memory has been given back.
            let small = try lab.exchange("POST", "/lab/x", body: "small")
            #expect(small.status == 200)
        }
    }

    @Test("what a request kept is free again when it ends, whichever way it ends")
    func budgetComesBack() async throws {
        var options = Lab.Options()
        options.replayMemory = 700_000
        let upstream = try ScriptedUpstream.serving { request in
            if request.startLine.contains("free") { return Respond.with(200, body: "ok") }
            if request.startLine.contains("broken") { return "garbage\r\n\r\n" }
            return Seller.isPaid(request) ? Respond.with(200, [Seller.report()], body: "ok") : Seller.unpaid
        }
        try await Lab.run(options, upstream) { lab async throws in
            let body = String(repeating: "x", count: 500_000)
            let wire = try lab.connect()
            for path in ["/lab/a", "/lab/free", "/lab/b", "/lab/broken", "/lab/c", "/lab/d"] {
                try wire.send(lab.head("POST", path, length: body.utf8.count) + body)
                #expect(try wire.readResponse().status == (path == "/lab/broken" ? 502 : 200), "\(path)")
            }
            let left = try lab.connect()
            try left.send(lab.head("POST", "/lab/e", length: 600_000) + body)
            Threads.pause(milliseconds: 200)
            left.close()
            Threads.pause(milliseconds: 100)
            try wire.send(lab.head("POST", "/lab/f", length: body.utf8.count) + body)
            #expect(try wire.readResponse().status == 200)
        }
    }

    @Test("a replay file that cannot be made means no payment, and the request still goes through")
    func noFolder() async throws {
        var options = Lab.Options()
        options.replay = ReplayLimits(memory: 1000, total: 1 << 20, folder: "/nonexistent")
        try await Lab.run(options, try Seller.serving(Respond.with(200))) { lab async throws in
            let response = try lab.exchange("POST", "/lab/x", body: String(repeating: "x", count: 50_000))
            #expect(response.status == 402)
            #expect(try await lab.payments().map(\.state) == [.refused])
        }
    }

    @Test(
        "an early 402 stops the upload; the whole body goes with the payment on a new connection",
        arguments: [true, false])
    func early402(inHeader: Bool) async throws {
        let asked = Gate()
        let upstream = try ScriptedUpstream { wire, number in
            if number == 0 {
                _ = try wire.readHead()
                _ = try wire.read(1000)
                try wire.send(
                    inHeader
                        ? Seller.unpaid : Respond.with(402, ["content-type: application/json"], body: Seller.bodyV1))
                asked.open()
                _ = try? wire.readToEnd()
                return
            }
            while try wire.readRequest() != nil { try wire.send(Respond.with(200, [Seller.report()], body: "ok")) }
        }
        try await Lab.run(upstream) { lab async throws in
            let body = Self.body(400_000)
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: body.count))
            try wire.send(Array(body[..<2000]))
            asked.waitBlocking()
            Threads.pause(milliseconds: 100)
            try wire.send(Array(body[2000...]))
            #expect(try wire.readResponse().text == "ok")
            #expect(upstream.connections.count == 2)
            #expect(upstream.received[0].count < 10_000)
            let requests = try Requests(upstream.received[1]).all
            let isSame = requests.map(\.raw) == [body]
            #expect(isSame)
            #expect(requests.allSatisfy(Seller.isPaid))
            #expect(try await lab.payment().state == .settled)
        }
    }

    @Test("an early 402 for a body that is too large is refused without reading all of it")
    func early402AboveLimit() async throws {
        var options = Lab.Options()
        options.replay.total = 10_000
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readHead()
            try wire.send(Seller.unpaid)
            _ = try? wire.readToEnd()
        }
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1 << 30))
            for _ in 0..<20 { try wire.send([UInt8](repeating: 1, count: 2000)) }
            let response = try wire.readResponse()
            #expect(response.status == 402 && response["connection"] == ["close"])
            #expect(response.text.contains("body-too-large-to-replay"))
        }
    }

    @Test("an early final answer reaches the agent, whose connection then ends")
    func earlyAnswer() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            _ = try wire.readHead()
            try wire.send(Respond.with(413, body: "too much"))
            _ = try? wire.readToEnd()
        }
        try await Lab.run(upstream) { lab async throws in
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: 1 << 30))
            try wire.send([UInt8](repeating: 1, count: 100_000))
            let response = try wire.readResponse()
            #expect(response.status == 413 && response.text == "too much")
            #expect(response["connection"] == ["close"])
            #expect(wire.isClosedByPeer())
        }
    }

    @Test("an upload waits for a slow gateway in bounded memory, and is not late meanwhile")
    func uploadBackPressure() async throws {
        var options = Lab.Options()
        options.proxy.read = .milliseconds(400)
        options.replay.total = 1 << 20
        let start = Gate()
        let size = 40 << 20
        let upstream = try ScriptedUpstream { wire, _ in
            wire.stopLogging()
            _ = try wire.readHead()
            start.waitBlocking()
            var left = size
            while left > 0 { left -= try wire.receive(1 << 20).count }
            try wire.send(Respond.with(200, body: "all"))
        }
        try await Lab.run(options, upstream) { lab async throws in
            let wire = try lab.connect()
            let sent = Progress()
            try wire.send(lab.head("POST", "/lab/x", length: size))
            Threads.spawn {
                let piece = [UInt8](repeating: 1, count: 1 << 20)
                for _ in 0..<size >> 20 {
                    guard (try? wire.send(piece)) != nil else { return }
                    sent.add(piece.count)
                }
            }
            Threads.pause(milliseconds: 1500)
            #expect(sent.value < 20 << 20)
            start.open()
            #expect(try wire.readResponse().text == "all")
        }
    }
}
