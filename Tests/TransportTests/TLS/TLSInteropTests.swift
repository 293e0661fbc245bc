import NIOCore
import NIOPosix
import Testing

@testable import Transport

@Suite("TLS over sockets, against other programs", .timeLimit(.minutes(1)))
struct TLSInteropTests {
    private func opensslServer(
        _ leaf: TLSCertificates.Leaf, _ options: [String] = []
    ) async throws -> (process: TLSChildProcess, port: Int) {
        let certificates = try TLSCertificates.shared()
        let process = try TLSChildProcess(
            [
                "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificates.chain(leaf), "-cert_chain",
                certificates.chain(leaf), "-key", certificates.key(leaf),
            ] + options, outputPath: certificates.path("s_server"))
        let port = try await process.waitForLine(after: "ACCEPT 127.0.0.1:")
        return (process, Int(port) ?? 0)
    }

    /// Unlike the others it cannot choose a port, so it is given ports below the ephemeral range until one is free.
    private func gnutlsServer() async throws -> (process: TLSChildProcess, port: Int) {
        let certificates = try TLSCertificates.shared()
        for _ in 0..<20 {
            let port = Int.random(in: 20_000..<32_000)
            let process = try TLSChildProcess(
                [
                    "gnutls-serv", "--echo", "-p", "\(port)", "--x509certfile", certificates.chain(.localhost),
                    "--x509keyfile", certificates.key(.localhost), "--alpn", "http/1.1",
                ], outputPath: certificates.path("gnutls"))
            let status = try await process.waitForLine(after: "listening on IPv4 0.0.0.0 port \(port)...")
            if status == "done" { return (process, port) }
        }
        throw TLSChildProcess.Failure(description: "no free port for gnutls-serv")
    }

    // MARK: Our client

    @Test("our client talks to openssl s_server", arguments: ["-tls1_3", "-tls1_2"])
    func talksToOpenSSL(version: String) async throws {
        // -rev answers each line with its reverse.
        let server = try await opensslServer(.localhost, ["-rev", version, "-alpn", "h2,http/1.1"])
        let outcome = try await TLSClientContext.fresh().exchange(
            port: server.port, payload: ByteBuffer(string: "stressed\n"), expecting: 9)
        #expect(outcome.received == ByteBuffer(string: "desserts\n"))
        #expect(outcome.handshake?.alpn == "http/1.1")
        #expect(outcome.handshake?.protocolVersion == (version == "-tls1_3" ? "TLSv1.3" : "TLSv1.2"))
        #expect(outcome.failures.isEmpty)
    }

    @Test(
        "our client refuses an openssl s_server whose certificate does not hold",
        arguments: [
            (TLSCertificates.Leaf.other, TLSCertificateFault.wrongName), (.expired, .expired),
            (.selfSigned, .selfSigned), (.stranger, .untrustedIssuer),
        ])
    func refusesOpenSSL(leaf: TLSCertificates.Leaf, fault: TLSCertificateFault) async throws {
        let server = try await opensslServer(leaf)
        let outcome = try await TLSClientContext.fresh().exchange(port: server.port)
        #expect(outcome.failures == [.certificateRejected(name: "localhost", fault: fault)])
        #expect(outcome.handshake == nil)
        try await server.process.waitForLine(after: "alert")
    }

    @Test("our client checks an address against the certificate's addresses")
    func address() async throws {
        let server = try await opensslServer(.address, ["-rev"])
        let outcome = try await TLSClientContext.fresh().exchange(port: server.port, name: "127.0.0.1", expecting: 0)
        #expect(outcome.handshake != nil)
    }

    @Test("our client refuses a server that only speaks old versions", arguments: ["-tls1", "-tls1_1"])
    func oldServer(version: String) async throws {
        let server = try await opensslServer(.localhost, [version, "-cipher", "ALL:@SECLEVEL=0"])
        let outcome = try await TLSClientContext.fresh().exchange(port: server.port)
        guard case .handshakeFailed(let reason)? = outcome.failures.first else {
            Issue.record("\(outcome)")
            return
        }
        #expect(reason.contains("protocol version"))
    }

    @Test("our client refuses a renegotiation that openssl s_server demands")
    func renegotiation() async throws {
        let (server, port) = try await opensslServer(.localhost, ["-tls1_2"])
        let context = try TLSClientContext.fresh()
        async let exchange = context.exchange(port: port)
        try await server.waitForLine(after: "CIPHER is")
        server.type("r\n")
        let outcome = try await exchange
        #expect(outcome.handshake != nil)
        #expect(outcome.failures.count == 1)
        #expect(server.output.contains("no renegotiation"))
    }

    @Test("openssl s_server resumes our session", arguments: ["-tls1_3", "-tls1_2"])
    func resumption(version: String) async throws {
        let server = try await opensslServer(.localhost, ["-rev", version])
        let context = try TLSClientContext.fresh()
        var resumed: [Bool?] = []
        for _ in 0..<3 {
            // The reply makes sure that the tickets, which come before it, have been read.
            let outcome = try await context.exchange(
                port: server.port, payload: ByteBuffer(string: "a\n"), expecting: 2)
            resumed.append(outcome.handshake?.isResumed)
        }
        #expect(resumed == [false, true, true])
    }

    @Test("8 MiB each way through a Python server", arguments: ["1.3", "1.2"])
    func pythonEcho(version: String) async throws {
        let server = try await TLSPythonPeer.server("echo", version: version)
        let payload = patternedBytes(1 << 23)
        let outcome = try await TLSClientContext.fresh().exchange(
            port: server.port, payload: payload, expecting: payload.readableBytes)
        #expect(outcome.received == payload)
        #expect(outcome.failures.isEmpty)
    }

    @Test("a Python server's close_notify and its absence are told apart")
    func pythonEnding() async throws {
        let notifying = try await TLSPythonPeer.server("notify")
        let whole = try await TLSClientContext.fresh().exchange(port: notifying.port)
        #expect(whole.received == ByteBuffer(string: "complete"))
        #expect(whole.endedWithCloseNotify)
        #expect(whole.failures.isEmpty)
        let truncating = try await TLSPythonPeer.server("truncate")
        let part = try await TLSClientContext.fresh().exchange(
            port: truncating.port, payload: ByteBuffer(string: "?"))
        #expect(part.received == ByteBuffer(string: "partial"))
        #expect(!part.endedWithCloseNotify)
        #expect(part.failures == [.truncated])
    }

    @Test("a server that waits for our close_notify answers after it")
    func outputClose() async throws {
        let server = try await TLSPythonPeer.server("count")
        // Little enough for the socket to take at once: closing drops what it could not.
        let outcome = try await TLSClientContext.fresh().exchange(
            port: server.port, payload: patternedBytes(10_000), closingOutput: true)
        #expect(outcome.received == ByteBuffer(string: "10000"))
        #expect(outcome.endedWithCloseNotify)
        #expect(outcome.failures.isEmpty)
    }

    @Test(
        "a server that goes away during the handshake",
        arguments: ["reset-after-hello", "fin-after-hello", "half-hello"])
    func goneServer(mode: String) async throws {
        let server = try await TLSPythonPeer.server(mode)
        let outcome = try await TLSClientContext.fresh().exchange(port: server.port)
        #expect(outcome.failures == [.handshakeInterrupted])
    }

    @Test("our client talks to GnuTLS")
    func talksToGnuTLS() async throws {
        let (server, port) = try await gnutlsServer()
        defer { withExtendedLifetime(server) {} }
        let context = try TLSClientContext.fresh()
        var resumed: [Bool?] = []
        for _ in 0..<2 {
            let outcome = try await context.exchange(
                port: port, payload: ByteBuffer(string: "hello\n"), expecting: 6)
            #expect(outcome.received == ByteBuffer(string: "hello\n"))
            #expect(outcome.handshake?.alpn == "http/1.1")
            #expect(outcome.failures.isEmpty)
            resumed.append(outcome.handshake?.isResumed)
        }
        #expect(resumed == [false, true])
    }

    // MARK: Our server

    @Test("8 MiB each way from a Python client", arguments: ["1.3", "1.2"])
    func pythonClient(version: String) async throws {
        let report = try await TLSServerContext.presenting(.localhost).whileEchoing { port in
            try await TLSPythonPeer.client(port: port, size: 1 << 23, version: version)
        }
        #expect(report == "whole TLSv\(version) http/1.1")
    }

    @Test("openssl s_client verifies our server and its attempt to renegotiate is refused")
    func opensslClient() async throws {
        let certificates = try TLSCertificates.shared()
        try await TLSServerContext.presenting(.localhost).whileEchoing { port in
            let client = try TLSChildProcess(
                [
                    "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificates.trustFile,
                    "-verify_return_error", "-verify_hostname", "localhost", "-tls1_2",
                ], outputPath: certificates.path("s_client"))
            try await client.waitForLine(after: "Verify return code: 0")
            client.type("R\n")
            _ = try await client.waitForExit()
            #expect(client.output.contains("no renegotiation"))
        }
    }

    @Test(
        "our server refuses an openssl s_client that only speaks old versions, or other protocols inside",
        arguments: [
            (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], "protocol version"),
            (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], "protocol version"),
            (["-tls1_2", "-cipher", "AES128-SHA256:AES256-GCM-SHA384"], "handshake failure"),
            (["-alpn", "h2,spdy/3"], "no application protocol"),
        ])
    func refusesOpenSSLClient(options: [String], alert: String) async throws {
        let certificates = try TLSCertificates.shared()
        try await TLSServerContext.presenting(.localhost).whileEchoing { port in
            let client = try TLSChildProcess(
                ["openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificates.trustFile] + options,
                outputPath: certificates.path("s_client"))
            #expect(try await client.waitForExit() == 1)
            #expect(client.output.contains("alert \(alert)"), "\(client.output)")
        }
    }

    @Test("our client and our server move 8 MiB each way over loopback and resume")
    func ourselves() async throws {
        let payload = patternedBytes(1 << 23)
        let context = try TLSClientContext.fresh()
        let outcomes = try await TLSServerContext.presenting(.localhost).whileEchoing { port in
            let first = try await context.exchange(port: port, payload: payload, expecting: payload.readableBytes)
            let second = try await context.exchange(port: port, payload: payload, expecting: payload.readableBytes)
            return [first, second]
        }
        #expect(outcomes.map { $0.received == payload } == [true, true])
        #expect(outcomes.map { $0.handshake?.isResumed } == [false, true])
    }
}
