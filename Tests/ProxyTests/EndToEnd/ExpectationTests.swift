import Ledger
import Primitives
import Proxy
import TestSupport
import Testing

@Suite("Large uploads to where payment is asked", .mayBlock)
struct ExpectationTests {
    private static let body = String(repeating: "b", count: 100_000)

    /// A seller that answers heads which ask with `word`, or with 402 at once, and everything else as sellers do.
    private static func seller(word: String?) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let head = try wire.readHead() {
                if head.lowercased().contains("expect: 100-continue"), let word {
                    try wire.send(word)
                    guard word.hasPrefix("HTTP/1.1 1") else { return }
                }
                let length = head.lowercased().contains("content-length: 100000") ? 100_000 : 1
                guard try wire.read(length).count == length else { return }
                let isPaid = head.lowercased().contains("payment-signature")
                try wire.send(isPaid ? Respond.with(200, [Seller.report()], body: "bought") : Seller.unpaid)
            }
        }
    }

    /// Bytes that the seller got in all, and the heads that asked first.
    private func traffic(_ upstream: ScriptedUpstream) -> (bytes: Int, questions: Int) {
        let all = upstream.received
        let text = all.map { String(decoding: $0, as: UTF8.self).lowercased() }.joined()
        return (all.reduce(0) { $0 + $1.count }, text.components(of: "expect: 100-continue"))
    }

    @Test(
        "the gateway is asked first where it was paid before, and the body goes there once",
        arguments: [
            ("402", Seller.unpaid, 1), ("100 Continue", "HTTP/1.1 100 Continue\r\n\r\n", 2), ("silence", nil, 2),
            ("417", Respond.with(417), 2),
        ] as [(String, String?, Int)])
    func asked(name: String, word: String?, bodies: Int) async throws {
        let upstream = try Self.seller(word: word)
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "a").status == 200)
            #expect(traffic(upstream).questions == 0)
            let before = traffic(upstream).bytes
            let response = try lab.exchange("POST", "/lab/x", body: Self.body)
            #expect(response.status == 200 && response.text == "bought")
            #expect(traffic(upstream).questions == 1)
            #expect((traffic(upstream).bytes - before) / Self.body.utf8.count == bodies)
            #expect(try await lab.payments().map(\.state) == [.settled, .settled])
            // A gateway that gives no word is not asked twice.
            #expect(try lab.exchange("POST", "/lab/x", body: Self.body).status == 200)
            #expect(traffic(upstream).questions == (word == nil || name == "417" ? 1 : 2))
        }
    }

    @Test("a gateway that closes connections under the question is not asked again, and has the upload")
    func closing() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let head = try wire.readHead() {
                if head.lowercased().contains("expect: 100-continue") { return }
                let length = head.lowercased().contains("content-length: 100000") ? 100_000 : 1
                guard try wire.read(length).count == length else { return }
                let isPaid = head.lowercased().contains("payment-signature")
                // Nothing is kept, so that each question goes over a new connection.
                try wire.send(
                    isPaid
                        ? Respond.with(200, [Seller.report(), "connection: close"], body: "bought")
                        : Respond.with(402, [Seller.challenge(), "connection: close"], body: "{}"))
                return
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "a").status == 200)
            for _ in 0..<2 {
                #expect(try lab.exchange("POST", "/lab/x", body: Self.body).text == "bought")
                #expect(traffic(upstream).questions == 1)
            }
        }
    }

    @Test("a gateway that serves before it has the body gets all of it")
    func early() async throws {
        let upstream = try ScriptedUpstream { wire, _ in
            while let head = try wire.readHead() {
                if head.lowercased().contains("expect: 100-continue") {
                    try wire.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n")
                    let count = try wire.read(100_000).count
                    try wire.send("\(count)")
                } else {
                    _ = try wire.read(1)
                    let isPaid = head.lowercased().contains("payment-signature")
                    try wire.send(isPaid ? Respond.with(200, [Seller.report()]) : Seller.unpaid)
                }
            }
        }
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "a").status == 200)
            #expect(try lab.exchange("POST", "/lab/x", body: Self.body).text == "100000")
        }
    }

    @Test("a slow upload is asked about while it comes, and is paid whole")
    func slow() async throws {
        let upstream = try Self.seller(word: Seller.unpaid)
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "a").status == 200)
            let wire = try lab.connect()
            try wire.send(lab.head("POST", "/lab/x", length: Self.body.utf8.count))
            for _ in 0..<4 {
                try wire.send(String(repeating: "b", count: 25_000))
                Threads.pause(milliseconds: 20)
            }
            #expect(try wire.readResponse(to: "POST").text == "bought")
            #expect(try await lab.payments().count == 2)
        }
    }

    @Test(
        "small bodies, and routes that nothing was paid on, are not asked about",
        arguments: [("/lab/x", 1000), ("/lab/y", 100_000)])
    func unasked(path: String, length: Int) async throws {
        let upstream = try Seller.serving(Respond.with(200, [Seller.report()]))
        try await Lab.run(upstream) { lab async throws in
            #expect(try lab.exchange("POST", "/lab/x", body: "a").status == 200)
            #expect(try lab.exchange("POST", path, body: String(repeating: "b", count: length)).status == 200)
            #expect(traffic(upstream).questions == 0)
        }
    }
}

extension String {
    fileprivate func components(of part: String) -> Int {
        var (count, rest) = (0, self[...])
        while let range = rest.firstRange(of: part) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
