import Testing
import Transport

@testable import Chain

@Suite("Chain endpoints")
struct ChainEndpointTests {
    @Test(
        "a URL is an origin and a target",
        arguments: [
            ("https://rpc.example", "https://rpc.example", "/"),
            ("https://RPC.example/v2/Key", "https://rpc.example", "/v2/Key"),
            ("https://rpc.example:8443/?k=a/b", "https://rpc.example:8443", "/?k=a/b"),
            ("https://rpc.example?k=1", "https://rpc.example", "/?k=1"),
            ("http://localhost:8545", "http://localhost:8545", "/"),
            ("http://127.0.0.1/x", "http://127.0.0.1", "/x"), ("http://[::1]:8545/", "http://[::1]:8545", "/"),
        ])
    func read(url: String, origin: String, target: String) throws {
        let endpoint = try ChainEndpoint(url)
        #expect(endpoint.origin.description == origin)
        #expect(endpoint.target == target)
    }

    @Test(
        "reject- URLs that are unsafe or mean nothing",
        arguments: [
            ("", ChainEndpointError.notAURL), ("rpc.example", .notAURL), ("https://rpc.example/a b", .notAURL),
            ("https://rpc.example/\r\nx: y", .notAURL), ("https://rpc.example/é", .notAURL),
            ("https://rpc.example/" + String(repeating: "a", count: 2048), .notAURL),
            ("ftp://rpc.example", .scheme), ("ws://localhost", .scheme), ("https://rpc.example/#a", .fragment),
            ("https://u:p@rpc.example/", .credentials), ("https://", .host), ("https://rpc.example:0/", .host),
            ("https://rpc.example:65536/", .host), ("https://:443/", .host), ("https://a..b/", .host),
            ("http://rpc.example/secret", .plainHTTP(host: "rpc.example")),
            ("http://192.168.1.2:8545", .plainHTTP(host: "192.168.1.2")),
            ("http://localhost.example:8545", .plainHTTP(host: "localhost.example")),
            ("http://127.1:8545", .host),
        ])
    func reject(url: String, error: ChainEndpointError) {
        #expect(throws: error) { try ChainEndpoint(url) }
        #expect(!error.description.contains("secret"))
    }

    @Test("no text made of an endpoint shows its path or query")
    func secrecy() throws {
        let endpoint = try ChainEndpoint("https://rpc.example:8443/v2/sesame-open?apikey=tulip-mania")
        var dumped = ""
        dump(endpoint, to: &dumped)
        for text in [
            "\(endpoint)", String(reflecting: endpoint), dumped, "\([endpoint])",
            String(describing: Optional(endpoint)),
        ] {
            #expect(!text.contains("sesame") && !text.contains("tulip"), "\(text)")
        }
        #expect(endpoint.name == "rpc.example:8443")
        #expect(endpoint.redacting("bad key tulip-mania for sesame-open") == "bad key [key] for [key]")
    }

    @Test(
        "finality is read as it is written",
        arguments: [
            ("finalized", ChainFinality.finalized), ("safe", .safe), ("1", .confirmations(1)),
            ("10000", .confirmations(10_000)),
        ])
    func finality(text: String, finality: ChainFinality) {
        #expect(ChainFinality(text) == finality)
        #expect(finality.description == text)
    }

    @Test(
        "reject- what is no finality",
        arguments: [
            "", "latest", "pending", "Finalized", "0", "-1", "+1", "01", "10001", "1.0", "99999999999999999999",
        ])
    func badFinality(_ text: String) {
        #expect(ChainFinality(text) == nil)
    }
}
