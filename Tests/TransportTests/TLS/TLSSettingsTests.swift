import NIOCore
import Testing

@testable import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("TLS settings and names")
struct TLSSettingsTests {
    @Test(
        "names are normalised",
        arguments: [
            ("example.com", TLSServerName.host("example.com")), ("EXAMPLE.com.", .host("example.com")),
            ("a_b.svc", .host("a_b.svc")), ("xn--bcher-kva.example", .host("xn--bcher-kva.example")),
            ("127.0.0.1", .address("127.0.0.1")), ("[::1]", .address("::1")), ("::1", .address("::1")),
        ])
    func name(text: String, expected: TLSServerName) throws {
        #expect(try TLSServerName(text) == expected)
    }

    @Test(
        "names that a certificate cannot be checked against are refused",
        arguments: [
            "", ".", ".example.com", "a..b", "example.com..", "bücher.example", "a b", "a\0b", "*.example.com", "[a]",
            "fe80::1%eth0", "a:80", String(repeating: "a", count: 64),
            String(repeating: "abcdefghi.", count: 26),
        ])
    func rejectedName(text: String) {
        #expect(throws: TLSError.invalidServerName) { try TLSServerName(text) }
    }

    @Test("a trust file that is missing or holds no certificate is an error")
    func trustFile() throws {
        let certificates = try TLSCertificates.shared()
        for path in ["/nonexistent.pem", certificates.key(.localhost)] {
            guard
                case .configuration(let reason)? = #expect(
                    throws: TLSError.self,
                    performing: {
                        try TLSClientContext(trustFile: path)
                    })
            else { continue }
            #expect(reason.contains(path))
        }
    }

    @Test("a certificate without its key is an error")
    func mismatchedKey() throws {
        let certificates = try TLSCertificates.shared()
        #expect(throws: TLSError.self) {
            try TLSServerContext(
                certificateChainFile: certificates.chain(.localhost), privateKeyFile: certificates.key(.other))
        }
        #expect(throws: TLSError.self) {
            try TLSServerContext(certificateChainFile: "/nonexistent", privateKeyFile: certificates.key(.other))
        }
    }

    @Test("without a trust file the system's store decides, and a private authority is not in it")
    func systemStore() throws {
        let pair = try TLSPair(context: TLSClientContext(trustFile: nil))
        try pair.connect()
        let error = TLSError.certificateRejected(name: "localhost", fault: .untrustedIssuer)
        #expect(pair.client.recorder.failures == [error])
    }

    @Test("SSL_CERT_FILE replaces the system's store")
    func environment() async {
        await #expect(processExitsWith: .success) {
            let certificates = try TLSCertificates.shared()
            unsafe setenv("SSL_CERT_FILE", certificates.trustFile, 1)
            let pair = try TLSPair(context: TLSClientContext(trustFile: nil))
            try pair.connect()
            try #require(pair.client.recorder.handshake != nil)
        }
    }

    @Test("every error has a bounded label and a line for people")
    func texts() {
        let errors: [TLSError] = [
            .configuration("x"), .invalidServerName, .certificateRejected(name: "x", fault: .other(code: 23)),
            .handshakeFailed(reason: "x"), .handshakeInterrupted, .truncated,
            .protocolViolation(reason: "x"), .pendingWritesExceeded(limit: 1),
        ]
        #expect(Set(errors.map(\.label)).count == errors.count)
        #expect(errors.allSatisfy { !$0.description.isEmpty && !$0.description.contains("\n") })
        #expect("\(TLSCertificateFault.other(code: 23))" == "certificate revoked")
    }
}
