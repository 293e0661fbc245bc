import COpenSSL
import NIOCore
import Testing

@testable import Transport

@Suite("What a TLS peer can make us compute", .timeLimit(.minutes(2)))
struct TLSCostTests {
    /// Groups as openssl names them, and whether keys are exchanged in them.
    static let groups: [(name: String, isGood: Bool)] = [
        ("X25519", true), ("P-256", true), ("P-384", true), ("P-521", false), ("X448", false), ("ffdhe2048", false),
        ("ffdhe8192", false),
    ]

    @Test("a client gets X25519, P-256 and P-384, and no other group", arguments: groups, ["-tls1_2", "-tls1_3"])
    func serverGroups(group: (name: String, isGood: Bool), version: String) async throws {
        let certificates = try TLSCertificates.shared()
        // Before TLS 1.3 the certificate's own curve has to be in the list as well.
        let groups = group.isGood && version == "-tls1_2" && group.name != "P-256" ? "\(group.name):P-256" : group.name
        let answer = try await TLSServerContext.presenting(.localhost).whileEchoing { port in
            let client = try TLSChildProcess(
                [
                    "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificates.trustFile, "-quiet",
                    "-groups", groups, version, "-cipher", "ALL:@SECLEVEL=0",
                ], outputPath: certificates.path("groups"))
            client.type("greeting\n")
            for _ in 0..<1000 {
                let output = client.output
                if output.contains("greeting") || output.contains("alert") || output.contains("rror") { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            return client.output
        }
        #expect(answer.contains("greeting") == group.isGood, "\(answer)")
    }

    @Test("a server gets X25519, P-256 and P-384 of us, and no other group", arguments: groups)
    func clientGroups(group: (name: String, isGood: Bool)) throws {
        let context = try TLSScriptedPeer.Context(side: .server, newest: TLS1_3_VERSION)
        context.exchangeKeys(in: group.name)
        let client = try connectedClient(to: TLSScriptedPeer(context))
        #expect((client.recorder.handshake != nil) == group.isGood)
    }

    @Test("an authority of our own ends tunnels' TLS with the same groups")
    func terminatedGroups() throws {
        let authority = try CertificateAuthority(
            name: "x", hosts: [], serial: [UInt8](repeating: 1, count: 16), at: 1_795_305_600)
        let host = try #require(HostName("localhost"))
        let server = try authority.serverContext(
            for: host, key: CertificateAuthority.HostKey(), serial: [UInt8](repeating: 2, count: 16), at: 1_795_305_600)
        for group in Self.groups {
            let context = try TLSScriptedPeer.Context(side: .client, newest: TLS1_3_VERSION)
            context.exchangeKeys(in: group.name)
            let end = try TLSEnd(server.makeServerHandler(for: host))
            try end.activate()
            try TLSScriptedPeer(context).pump(with: end)
            #expect((end.recorder.handshake != nil) == group.isGood, "\(group.name)")
        }
    }

    @Test("a chain of ten certificates is followed, and one of eleven is not looked at")
    func chains() throws {
        for (more, fault) in [(8, nil), (9, TLSCertificateFault.chainTooLong)] as [(Int, TLSCertificateFault?)] {
            let context = try TLSScriptedPeer.Context(side: .server, newest: TLS1_3_VERSION)
            try context.append(more, copiesOf: .other)
            let client = try connectedClient(to: TLSScriptedPeer(context))
            let expected = fault.map { [TLSError.certificateRejected(name: "localhost", fault: $0)] } ?? []
            #expect(client.recorder.failures == expected)
        }
    }

    @Test(
        "keys are verified up to RSA of 8192 bits with a short exponent, and on three curves",
        arguments: [
            ("EC", ["ec_paramgen_curve:P-256"], true), ("EC", ["ec_paramgen_curve:P-384"], true),
            ("EC", ["ec_paramgen_curve:P-521"], true), ("EC", ["ec_paramgen_curve:brainpoolP256r1"], false),
            ("EC", ["ec_paramgen_curve:sect571r1"], false),
            ("ED25519", [], true), ("ED448", [], false), ("RSA", ["rsa_keygen_bits:2048"], true),
            ("RSA", ["rsa_keygen_bits:2048", "rsa_keygen_pubexp:18446744073709551629"], false),
            // Several primes make a long key in a short time.
            ("RSA", ["rsa_keygen_bits:8192", "rsa_keygen_primes:5"], true),
            ("RSA", ["rsa_keygen_bits:8200", "rsa_keygen_primes:5"], false),
        ] as [(String, [String], Bool)])
    func keys(algorithm: String, options: [String], isGood: Bool) throws {
        let certificates = try TLSCertificates.shared()
        let base = certificates.path("costly")
        let key = ["openssl", "genpkey", "-quiet", "-algorithm", algorithm, "-out", "\(base).key"]
        try TLSChildProcess.run(key + options.flatMap { ["-pkeyopt", $0] }, outputPath: "\(base).log")
        try TLSChildProcess.run(
            ["openssl", "req", "-x509", "-key", "\(base).key", "-out", "\(base).pem", "-subj", "/CN=costly"],
            outputPath: "\(base).log")
        let certificate = try Certificate(pem: certificates.read("\(base).pem"))
        let list = unsafe OPENSSL_sk_new_null()
        defer { unsafe OPENSSL_sk_free(list) }
        let fault = withExtendedLifetime(certificate) {
            unsafe OPENSSL_sk_push(list, UnsafeRawPointer(certificate.pointer))
            return unsafe PeerChain.fault(of: list)
        }
        #expect(fault == (isGood ? nil : X509_V_ERR_APPLICATION_VERIFICATION))
    }

    @Test("a handshake that is not admitted ends after its hello, before a key is agreed on")
    func notAdmitted() throws {
        var asked: [String?] = []
        let server = try TLSServerContext.presenting(.localhost)
        for isAdmitted in [false, true] {
            let pair = try TLSPair(
                client: TLSClientContext.fresh().makeClientHandler(serverName: "localhost", port: 443),
                server: server.makeServerHandler(admits: { pass in
                    asked.append(pass)
                    return isAdmitted
                }))
            try pair.activate()
            pair.server.receive(try pair.client.takeOutput())
            let answer = try pair.server.takeOutput()
            // An alert record (21) of two bytes, or a handshake record (22).
            #expect(answer.getInteger(at: 0, as: UInt8.self) == (isAdmitted ? 22 : 21))
            #expect((answer.readableBytes == 7) == !isAdmitted)
        }
        #expect(asked == [nil, nil])
    }

    @Test("a client that is asked for a second hello is admitted once")
    func secondHello() throws {
        var asked = 0
        let context = try TLSScriptedPeer.Context(side: .client, newest: TLS1_3_VERSION)
        // Its first hello has a key for a group that we do not take.
        context.exchangeKeys(in: "P-521:P-256")
        let end = try TLSEnd(
            TLSServerContext.presenting(.localhost).makeServerHandler(admits: { _ in
                asked += 1
                return true
            }))
        try end.activate()
        try TLSScriptedPeer(context).pump(with: end)
        #expect(end.recorder.handshake != nil && asked == 1)
    }

    private func connectedClient(to peer: TLSScriptedPeer) throws -> TLSEnd {
        let client = try TLSEnd(TLSClientContext.fresh().makeClientHandler(serverName: "localhost", port: 1))
        try client.activate()
        try peer.pump(with: client)
        return client
    }
}
