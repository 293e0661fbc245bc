import Testing
import Transport

@testable import Proxy

@Suite("Who is which agent without a token")
struct PeerAgentsTests {
    private static let digits = String(repeating: "0a", count: 32)

    @Test("a user counts before its group")
    func processes() {
        let agents = PeerAgents([.user(1): "user", .group(2): "group"])
        #expect(agents.agent(of: .process(PeerIdentity(user: 1, group: 2))) == "user")
        #expect(agents.agent(of: .process(PeerIdentity(user: 3, group: 2))) == "group")
        #expect(agents.agent(of: .process(PeerIdentity(user: 2, group: 1))) == nil)
    }

    @Test("a certificate counts before the names in it, and names of several agents are nobody's")
    func certificates() {
        let agents = PeerAgents([
            .certificate(sha256: Self.digits): "one", .named(.dns("a.example")): "a", .named(.dns("b.example")): "b",
            .named(.uri("spiffe://x/a")): "a", .named(.email("a@example")): "a",
        ])
        func agent(_ digits: String, _ names: [PeerCertificate.Name]) -> String? {
            agents.agent(of: .certificate(PeerCertificate(fingerprint: digits, names: names)))
        }
        #expect(agent(Self.digits, [.dns("a.example")]) == "one")
        #expect(agent("", [.dns("a.example")]) == "a")
        #expect(agent("", [.dns("c.example"), .uri("spiffe://x/a"), .dns("a.example"), .email("a@example")]) == "a")
        #expect(agent("", [.dns("a.example"), .dns("b.example")]) == nil)
        #expect(agent("", [.email("a.example"), .uri("a.example")]) == nil)
        #expect(agent("", []) == nil)
    }

    @Test(
        "a peer is written in one way only, whatever way it is read",
        arguments: [
            ("uid:0", "uid:0"), ("gid:4294967294", "gid:4294967294"),
            ("cert:sha256:" + digits, "cert:sha256:" + digits),
            ("cert:sha256:" + digits.uppercased(), "cert:sha256:" + digits),
            (
                "cert:sha256:" + [String](repeating: "0A", count: 32).joined(separator: ":"), "cert:sha256:" + digits
            ),
            ("cert:dns:Scout.Example", "cert:dns:scout.example"), ("cert:uri:spiffe://a/b", "cert:uri:spiffe://a/b"),
            ("cert:email:a@Example", "cert:email:a@Example"),
        ])
    func spelling(text: String, written: String) {
        #expect(PeerAgents.Peer(text)?.description == written)
    }

    @Test(
        "reject- what names no peer",
        arguments: [
            "", "uid", "uid:", "uid:-1", "uid:01", "uid:65534", "uid:4294967295", "gid:1:2", "cert", "cert:",
            "cert:sha256:",
            "cert:sha256:" + digits.dropLast(), "cert:sha256:" + digits + "0a",
            "cert:sha256:" + digits.dropLast() + "g",
            "cert:sha256:0a:" + digits.dropFirst(2), "cert:sha1:" + digits, "cert:dns:", "cert:dns:*.example",
            "cert:dns:10.0.0.1",
            "cert:dns:a..b", "cert:uri:nothing", "cert:uri:a: b", "cert:email:nobody", "cert:email:a@ex\u{e9}",
        ])
    func rejected(text: String) { #expect(PeerAgents.Peer(text) == nil) }
}
