import NIOCore
import Testing

@testable import Transport

@Suite("TLS server that demands client certificates")
struct TLSClientCertificateTests {
    private static func context(clients: [UInt8]? = nil) throws -> TLSServerContext {
        let certificates = try TLSCertificates.shared()
        return try TLSServerContext(
            chain: certificates.read(certificates.chain(.localhost)),
            key: certificates.read(certificates.key(.localhost)),
            clients: clients ?? certificates.read(certificates.trustFile))
    }

    /// What `openssl s_client` says until it has its greeting back or was turned away, with a certificate or without one.
    private static func connect(
        _ leaf: TLSCertificates.Leaf?, to context: TLSServerContext, _ options: [String] = []
    ) async throws -> String {
        let certificates = try TLSCertificates.shared()
        let shown: [String] =
            leaf.map { leaf in
                let chain = certificates.chain(leaf)
                return ["-cert", chain, "-cert_chain", chain, "-key", certificates.key(leaf)]
            } ?? []
        return try await context.whileEchoing { port in
            let client = try TLSChildProcess(
                [
                    "openssl", "s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", certificates.trustFile,
                    "-verify_return_error", "-quiet",
                ] + shown + options, outputPath: certificates.path("s_client"))
            client.type("greeting\n")
            for _ in 0..<1000 where !client.output.contains("greeting") && !client.output.contains("alert") {
                // What another program prints is told by nobody.
                try await Task.sleep(for: .milliseconds(10))
            }
            return client.output
        }
    }

    @Test("the chain that a file holds is presented whole, and a client's is followed to the authority")
    func chain() async throws {
        // The intermediate stands in the same file, and is needed on both sides.
        let answer = try await Self.connect(.localhost, to: Self.context(), ["-verify_hostname", "localhost"])
        #expect(answer.contains("greeting"), "\(answer)")
    }

    @Test("an intermediate authority may be the one that is believed, and a single certificate too")
    func partialChains() async throws {
        let certificates = try TLSCertificates.shared()
        let intermediate = try certificates.read("\(certificates.folder)/intermediate.pem")
        for (clients, leaf, isGood) in [
            (intermediate, .localhost, true), (intermediate, .other, false),
            (try certificates.read(certificates.chain(.selfSigned)), .selfSigned, true),
            (try certificates.read(certificates.chain(.selfSigned)), .other, false),
        ] as [([UInt8], TLSCertificates.Leaf, Bool)] {
            let answer = try await Self.connect(leaf, to: try Self.context(clients: clients))
            #expect(answer.contains("greeting") == isGood, "\(leaf): \(answer)")
        }
    }

    @Test(
        "reject- who shows nothing, or what proves nothing",
        arguments: [nil, .expired, .future, .stranger, .commonName] as [TLSCertificates.Leaf?],
        ["-tls1_2", "-tls1_3"])
    func refused(leaf: TLSCertificates.Leaf?, version: String) async throws {
        let answer = try await Self.connect(leaf, to: try Self.context(), [version])
        #expect(answer.contains("alert") && !answer.contains("greeting"), "\(answer)")
    }

    @Test("names of a certificate are read in its order, and none that could be taken for another")
    func names() throws {
        let authority = try CertificateAuthority(
            name: "names", hosts: [], serial: [UInt8](repeating: 1, count: 16), at: 1_795_305_600)
        let issued = try authority.issue(
            .client(name: "scout.1"), serial: [UInt8](repeating: 2, count: 16), from: 1_795_305_600, for: 60)
        let one = PeerCertificate(try Certificate(pem: issued.certificate))
        #expect(one.names == [.dns("scout.1")])
        #expect(one.fingerprint.count == 64 && one.fingerprint.utf8.allSatisfy { $0 < 0x67 && $0 >= 0x30 })
        let key = try KeyPair()
        let many = try Certificate(
            Certificate.Content(
                name: "many", serial: [UInt8](repeating: 3, count: 16), notBefore: 0, notAfter: 1,
                extensions: [
                    (
                        TLSClientCertificateTests.alternativeNames,
                        "URI:spiffe://a/b,DNS:A.example,email:a@b.example,IP:10.0.0.1,DNS:a b,DNS:*.c"
                    )
                ]),
            of: key, issuer: nil, signedBy: key)
        #expect(
            PeerCertificate(many).names == [
                .uri("spiffe://a/b"), .dns("a.example"), .email("a@b.example"), .dns("*.c"),
            ])
        let none = try Certificate(
            Certificate.Content(
                name: "none", serial: [UInt8](repeating: 3, count: 16), notBefore: 0, notAfter: 1, extensions: []),
            of: key, issuer: nil, signedBy: key)
        #expect(PeerCertificate(none).names.isEmpty)
    }

    private static let alternativeNames: Int32 = 85

    @Test("a server knows the names of its certificate")
    func ownNames() throws {
        let context = try Self.context()
        func isNamed(_ text: String) throws -> Bool { context.isNamed(try #require(HostName(text))) }
        #expect(try isNamed("localhost") && isNamed("LOCALHOST"))
        #expect(try !isNamed("other.test") && !isNamed("127.0.0.1") && !isNamed("[::1]"))
        // One that came from files is not asked.
        #expect(try !TLSServerContext.presenting(.localhost).isNamed(#require(HostName("localhost"))))
        #expect(context.notAfter != nil)
    }

    @Test("reject- texts that are none, and a key that is another certificate's")
    func badFiles() throws {
        let certificates = try TLSCertificates.shared()
        let chain = try certificates.read(certificates.chain(.localhost))
        let key = try certificates.read(certificates.key(.localhost))
        let clients = try certificates.read(certificates.trustFile)
        for (chain, key, clients) in [
            ([], key, clients), (chain, [], clients), (chain, key, []), (key, key, clients), (chain, chain, clients),
            (chain, try certificates.read(certificates.key(.other)), clients), (chain, key, key),
            (Array(chain.dropLast(30)), key, clients), (chain, key, Array(clients.dropLast(30))),
        ] {
            #expect(throws: TLSError.self) { try TLSServerContext(chain: chain, key: key, clients: clients) }
        }
    }

    @Test(
        "a client that asks for another server than it is told of by the tunnel is refused, and one that does not say is not",
        arguments: [("localhost", true), ("other.test", false), ("127.0.0.1", true)])
    func serverName(asked: String, isGood: Bool) throws {
        let server = try TLSServerContext.presenting(asked == "127.0.0.1" ? .address : .localhost)
        let pair = try TLSPair(
            client: TLSClientContext.fresh().makeClientHandler(serverName: asked, port: 443),
            server: server.makeServerHandler(for: HostName("localhost")))
        try pair.connect()
        #expect((pair.server.recorder.handshake != nil) == isGood)
        #expect((pair.client.recorder.handshake != nil) == isGood)
        if !isGood {
            #expect(pair.client.recorder.failures == [.handshakeFailed(reason: "tlsv1 unrecognized name")])
        }
    }
}

extension PeerCertificate {
    init(_ certificate: Certificate) { unsafe self.init(certificate.pointer) }
}
