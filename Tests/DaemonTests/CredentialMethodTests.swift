import Proxy
import Testing

@testable import Daemon

@Suite("Configuration: the methods that carry a gateway's key")
struct CredentialMethodTests {
    private func mistakes(_ text: String) throws -> [String] {
        guard case .failure(let errors) = try read(text) else { return [] }
        #expect(errors.mistakes.count == 1, "\(errors)")
        return [errors.description]
    }

    private func gateway(_ entry: String) -> String { "gateways: { lab: { url: http://127.0.0.1:1, \(entry) } }" }

    @Test("the usual ones, unless the entry lists others")
    func methods() throws {
        let usual = try read(gateway("credential: { file: lab.key }")).get().gateways[0]
        #expect(usual.credential?.methods == Gateway.Credential.usualMethods)
        #expect(usual.credentialMethods == ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])
        let own = try read(gateway("credential: { file: lab.key }, credential-methods: [GET, M-SEARCH, own]")).get()
        #expect(own.gateways[0].credentialMethods == ["GET", "M-SEARCH", "own"])
        #expect(try read(gateway("paths: []")).get().gateways[0].credentialMethods.isEmpty)
    }

    @Test(
        "reject- what is no method, is spelled in a way that servers take for another, or is never sent",
        arguments: [
            ("[get]", "write `GET`"), ("[Track]", "write `TRACK`"), ("[TRACE]", "never sent"),
            ("[CONNECT]", "never sent"),
            ("[\"A B\"]", "not a method"), ("[GET, GET]", "twice"), ("[]", "no method"),
        ])
    func refused(list: String, text: String) throws {
        let errors = try mistakes(gateway("credential: { file: lab.key }, credential-methods: \(list)"))
        #expect(errors.contains { $0.contains(text) }, "\(errors)")
    }

    @Test("reject- methods where there is no key")
    func withoutKey() throws {
        let errors = try mistakes(gateway("credential-methods: [GET]"))
        #expect(errors.contains { $0.contains("no `credential`") }, "\(errors)")
    }

    @Test("how many idle connections are kept")
    func idleConnections() throws {
        #expect(try read(gateway("max-idle-connections: 0")).get().gateways[0].mostIdleConnections == 0)
        #expect(try read(gateway("paths: []")).get().gateways[0].mostIdleConnections == 256)
        #expect(try mistakes(gateway("max-idle-connections: -1")).count == 1)
    }
}
