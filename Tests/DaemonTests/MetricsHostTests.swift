import Testing

@testable import Daemon

@Suite("Hosts by which metrics are asked for")
struct MetricsHostTests {
    private let hosts = MetricsHosts(
        listening: "0.0.0.0", configured: ["purser.internal", "proxy.internal:4100"], machine: "Builder-7")

    @Test(
        "addresses, the machine's own names and those of the configuration are answered, on any port",
        arguments: [
            "127.0.0.1:9464", "127.0.0.1", "10.1.2.3:9464", "[::1]:9464", "[fd00::7]", "localhost:9464", "LOCALHOST",
            "builder-7:9464", "purser.internal", "purser.internal:9464", "proxy.internal:9464",
        ])
    func accepted(host: String) { #expect(hosts.accepts([host], isHTTP10: false)) }

    @Test(
        "reject- a name that a web page has rebound to this machine, and a Host that is none",
        arguments: [
            "evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example",
            "a purser.internal",
            "", "127.0.0.1:9464, evil.example", "localhost:x", "[::1", "127.0.0.1@evil.example",
        ])
    func refused(host: String) { #expect(!hosts.accepts([host], isHTTP10: false)) }

    @Test("one Host is needed, but for HTTP/1.0, which may have none")
    func count() {
        #expect(!hosts.accepts([], isHTTP10: false) && hosts.accepts([], isHTTP10: true))
        #expect(!hosts.accepts(["localhost", "localhost"], isHTTP10: false))
        #expect(!hosts.accepts(["evil.example"], isHTTP10: true))
    }
}
