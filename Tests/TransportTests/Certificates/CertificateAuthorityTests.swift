import Testing

@testable import Transport

@Suite("The local certificate authority")
struct CertificateAuthorityTests {
    private static let now: Int64 = 1_795_305_600
    private static let serial = [UInt8](repeating: 0xff, count: 16)
    private static let key = Result { try CertificateAuthority.HostKey() }

    private func host(_ text: String) throws -> HostName { try #require(HostName(text)) }

    private func authority(_ hosts: [String] = []) throws -> CertificateAuthority {
        try CertificateAuthority(name: "test", hosts: hosts.map(host), serial: Self.serial, at: Self.now)
    }

    private func vouches(
        _ authority: CertificateAuthority, for host: String, at time: Int64 = now
    ) throws -> Bool {
        do {
            _ = try authority.serverContext(
                for: self.host(host), key: Self.key.get(), serial: Self.serial, at: time)
            return true
        } catch TLSError.configuration {
            return false
        }
    }

    static let constrained: [([String], String, Bool)] = [
        (["api.example"], "api.example", true), (["api.example"], "a.api.example", true),
        (["api.example"], "other.example", false), (["api.example"], "badapi.example", false),
        (["api.example"], "10.0.0.1", false), (["api.example"], "[::1]", false),
        (["api.example", "b.example"], "b.example", true), (["10.0.0.1"], "10.0.0.1", true),
        (["10.0.0.1"], "10.0.0.2", false), (["10.0.0.1"], "api.example", false), (["[fd00::1]"], "[fd00::1]", true),
        (["[fd00::1]"], "[fd00::2]", false), (["api.example", "10.0.0.1"], "10.0.0.1", true),
        ([], "anything.example", true), ([], "192.168.1.1", true),
    ]

    @Test(
        "it vouches for its hosts and what is below them, and a verifier believes nothing else", arguments: constrained)
    func constraints(hosts: [String], name: String, isGood: Bool) throws {
        #expect(try vouches(authority(hosts), for: name) == isGood)
    }

    @Test(
        "a name of any length that DNS has is vouched for",
        arguments: [
            "a", String(repeating: "a", count: 63) + ".example", (0..<40).map { "l\($0)" }.joined(separator: "."),
        ])
    func longNames(name: String) throws {
        #expect(try vouches(authority(), for: name))
    }

    @Test("it is good from an hour ago to its end, and its hosts' certificates never longer than itself")
    func times() throws {
        let authority = try authority()
        #expect(authority.notAfter == Self.now + CertificateAuthority.validity)
        #expect(try vouches(authority, for: "a.example", at: Self.now - 3600))
        #expect(try !vouches(authority, for: "a.example", at: Self.now - 3700))
        #expect(try vouches(authority, for: "a.example", at: Self.now + CertificateAuthority.validity - 60))
        #expect(try !vouches(authority, for: "a.example", at: Self.now + CertificateAuthority.validity + 60))
    }

    @Test("it is the same once it has been written and read")
    func files() throws {
        let authority = try authority(["api.example"])
        let both = try authority.keyPEM() + authority.certificatePEM()
        let again = try CertificateAuthority(certificate: both, key: both)
        #expect(try again.certificatePEM() == authority.certificatePEM() && again.keyPEM() == authority.keyPEM())
        #expect(again.fingerprint == authority.fingerprint && again.fingerprint.count == 32)
        #expect(try vouches(again, for: "api.example"))
        #expect(!String(decoding: try authority.certificatePEM(), as: UTF8.self).contains("PRIVATE"))
    }

    @Test("reject- files that are none, or do not belong together")
    func badFiles() throws {
        let (one, other) = try (authority(), authority())
        let certificate = try one.certificatePEM()
        for (certificate, key) in try [
            (certificate, other.keyPEM()), (certificate, []), ([], one.keyPEM()), (Array("x".utf8), one.keyPEM()),
            (certificate, certificate), (Array(certificate.dropLast(40)), one.keyPEM()),
        ] {
            #expect(throws: TLSError.self) { try CertificateAuthority(certificate: certificate, key: key) }
        }
    }

    @Test("no two certificates of a host have one serial number where the numbers differ, and none is too short")
    func serials() throws {
        #expect(throws: TLSError.self) {
            try authority().serverContext(
                for: host("a.example"), key: Self.key.get(), serial: [1, 2, 3], at: Self.now)
        }
    }
}
