import NIOCore
import NIOPosix
import Primitives
import TestSupport
import Testing
import Transport

@testable import Chain

@Suite("Answers are bounded")
struct BoundedAnswerTests {
    private func fault(
        _ options: ChainLab.Options = .init(), _ http: @escaping @Sendable (String) -> Reply
    ) async throws -> EndpointFault.Reason? {
        var chain = FakeChain()
        chain.http = http
        return try await ChainLab.fault(of: chain, options)
    }

    private static func chunked(_ text: String) -> [String] {
        var pieces = ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"]
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = rest.prefix(50)
            rest = rest.dropFirst(50)
            pieces.append("\(String(part.count, radix: 16));x=y\r\n\(String(decoding: part, as: UTF8.self))\r\n")
        }
        return pieces + ["0\r\nTrailer: x\r\n\r\n"]
    }

    @Test("a chunked answer is read like any other")
    func chunkedAnswer() async throws {
        var chain = FakeChain()
        chain.http = { Reply(pieces: Self.chunked($0)) }
        try await ChainLab.run([chain]) { lab async throws in
            #expect(try await lab.outcome().get().isUsed == [false])
            #expect(lab.nodes[0].connectionCount == 1)
        }
    }

    @Test("an answer of exactly the limit is read, and one byte more is refused")
    func limit() async throws {
        for (extra, expected) in [(0, nil), (1, .tooLarge(limit: 1 << 20))] as [(Int, EndpointFault.Reason?)] {
            let reason = try await fault { text in
                .with(text + String(repeating: " ", count: (1 << 20) + extra - text.utf8.count))
            }
            #expect(reason == expected)
        }
    }

    @Test("reject- a giant answer, however it is framed, without waiting for it")
    func giant() async throws {
        let declared = try await fault { _ in
            Reply(pieces: ["HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n["])
        }
        #expect(declared == .tooLarge(limit: 1 << 20))
        let chunks = try await fault { _ in
            let piece = "10000\r\n" + String(repeating: " ", count: 65_536) + "\r\n"
            return Reply(
                pieces: ["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"]
                    + [String](repeating: piece, count: 20))
        }
        #expect(chunks == .tooLarge(limit: 1 << 20))
    }

    @Test("reject- an answer without a length, which nobody could call whole")
    func unframed() async throws {
        let reason = try await fault { Reply(pieces: ["HTTP/1.1 200 OK\r\n\r\n" + $0], closes: true) }
        #expect(reason == .unframed)
    }

    @Test("reject- an answer that breaks off")
    func truncated() async throws {
        let length = try await fault {
            Reply(pieces: ["HTTP/1.1 200 OK\r\ncontent-length: \($0.utf8.count + 1)\r\n\r\n\($0)"], closes: true)
        }
        #expect(length == .unreachable(.truncated))
        let chunks = try await fault { Reply(pieces: Self.chunked($0).dropLast(), closes: true) }
        #expect(chunks == .unreachable(.truncated))
        #expect(try await fault { _ in Reply(pieces: ["HTTP/1.1 200"], closes: true) } == .unreachable(.truncated))
    }

    @Test("reject- what is not HTTP, or closes without a word")
    func noHTTP() async throws {
        #expect(try await fault { _ in Reply(pieces: ["hello\r\n\r\n"]) } == .unreachable(.malformed(.badVersion)))
        #expect(try await fault { _ in Reply(closes: true) } == .unreachable(.closedBeforeResponse))
    }

    @Test("reject- every status but 200", arguments: [204, 206, 400, 401, 404, 429, 500, 503])
    func status(_ status: Int) async throws {
        #expect(try await fault { .with($0, status: status) } == .status(status))
    }

    @Test("reject- a redirect, which is not followed", arguments: [301, 302, 303, 307, 308])
    func redirect(_ status: Int) async throws {
        try await ChainLab.run([FakeChain()]) { other async throws in
            let location = "location: http://127.0.0.1:\(other.nodes[0].port)/"
            #expect(try await fault { .with($0, status: status, [location]) } == .status(status))
            #expect(other.nodes[0].connectionCount == 0)
        }
    }

    @Test("reject- a slow answer: the deadline holds for all of it, and the connection is closed")
    func slow() async throws {
        var options = ChainLab.Options()
        options.limits.answer = .milliseconds(150)
        #expect(try await fault(options) { _ in .never } == .timedOut)
        let trickled = try await fault(options) { _ in
            Reply(pieces: ["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n["])
        }
        #expect(trickled == .timedOut)
        var chain = FakeChain()
        chain.http = { text in
            var reply = Reply.with(text)
            reply.delay = .seconds(5)
            return reply
        }
        try await ChainLab.run([chain], options) { lab async throws in
            #expect(await lab.fault() == .timedOut)
            #expect(await lab.nodes[0].isDeserted())
        }
    }

    @Test("a whole reading has a deadline too, whatever each answer may take")
    func readingDeadline() async throws {
        var options = ChainLab.Options()
        options.limits.reading = .milliseconds(150)
        #expect(try await fault(options) { _ in .never } == .timedOut)
    }

    @Test("a reading that nobody waits for any more ends at once")
    func cancelled() async throws {
        var chain = FakeChain()
        chain.http = { _ in .never }
        try await ChainLab.run([chain, FakeChain()]) { lab async throws in
            let task = Task { await lab.outcome() }
            #expect(await lab.nodes[0].isAsked())
            let start = ContinuousClock.now
            task.cancel()
            #expect(await task.value == .failure(.cancelled))
            #expect(ContinuousClock.now - start < .seconds(5))
            #expect(await lab.nodes[0].isDeserted())
            // One that is cancelled before it begins asks nobody.
            let asked = lab.nodes[1].requests.count
            let late = Task {
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return await lab.outcome()
            }
            #expect(await late.value == .failure(.cancelled))
            #expect(lab.nodes[1].requests.count == asked)
        }
    }

    @Test("a kept connection that the server has closed is replaced once, without a fault")
    func staleConnection() async throws {
        try await ChainLab.run([FakeChain()]) { lab async throws in
            _ = try await lab.outcome().get()
            // Closes in place of an answer, as a server does whose idle time has just run out.
            lab.nodes[0].change { $0.http = { _ in Reply(closes: true) } }
            #expect(await lab.fault() == .unreachable(.closedBeforeResponse))
            #expect(lab.nodes[0].connectionCount == 2)
            lab.nodes[0].change { $0.http = { .with($0) } }
            #expect(await lab.fault() == nil)
        }
    }

    @Test("a connection that says it will close is not used again, and nothing is lost")
    func closing() async throws {
        var chain = FakeChain()
        chain.http = { text in
            var reply = Reply.with(text, ["connection: close"])
            reply.closes = true
            return reply
        }
        try await ChainLab.run([chain]) { lab async throws in
            #expect(try await lab.outcome().get().isUsed == [false])
            #expect(lab.nodes[0].connectionCount == 2)
        }
    }

    @Test("an endpoint has to prove its name over TLS", arguments: [true, false])
    func secure(isTrusted: Bool) async throws {
        let folder = try TemporaryFolder()
        try Certificates.make(in: folder)
        let node = try await ScriptedNode(
            FakeChain(),
            tls: TLSServerContext(
                certificateChainFile: folder.path("cert.pem"), privateKeyFile: folder.path("key.pem")))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tls = try TLSClientContext(trustFile: isTrusted ? folder.path("cert.pem") : nil)
        let client = BoundedClient(loop: group.next(), tls: tls)
        let reader = try ChainReader(
            chainID: ChainLab.chainID, endpoints: [ChainEndpoint("https://localhost:\(node.port)/key")],
            finality: .finalized, client: client)
        let outcome = await ChainLab(nodes: [node], reader: reader, client: client).outcome()
        if isTrusted {
            #expect(try outcome.get().isUsed == [false])
        } else {
            guard case .failure(.tooFewAnswers(_, _, let faults)) = outcome,
                case .unreachable(.tls)? = faults.first?.reason
            else {
                Issue.record("\(outcome)")
                return
            }
            #expect(node.requests.isEmpty)
        }
        try await group.shutdownGracefully()
        try await node.stop()
    }
}
