import Testing
import X402

@Suite("Web origins")
struct WebOriginTests {
    @Test(
        "spellings of one origin are equal",
        arguments: [
            ("https://api.example.com/v1?x=1#y", "https://API.Example.com"), ("HTTPS://a:443/", "https://a"),
            ("http://a:80?x", "http://a#y"), ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080"),
            ("https://a/@b:c", "https://a/x:y@z"),
        ])
    func equal(one: String, other: String) throws {
        let origin: WebOrigin = try #require(WebOrigin(url: one))
        #expect(origin == WebOrigin(url: other))
    }

    @Test(
        "other schemes, hosts and ports are other origins",
        arguments: [
            "http://api.example.com", "https://api.example.com:8443", "https://example.com",
            "https://api.example.com.", "https://api.example.com.evil.example", "https://evil-api.example.com",
            "https://127.0.0.1", "https://[::1]",
        ])
    func different(url: String) throws {
        let origin: WebOrigin = try #require(WebOrigin(url: url))
        #expect(origin != WebOrigin(url: "https://api.example.com"))
    }

    @Test(
        "reject- what is no plain address",
        arguments: [
            "", "https://", "https:///x", "//a", "a", "https:/a", "https:a", "ftp://a", "javascript://a", "https://a:",
            "https://a:0", "https://a:080", "https://a:65536", "https://a:999999", "https://a:8o", "https://a:-1",
            "https://user@a", "https://user:pw@a", "https://a\\@b", "https://a\\b", "https://a b", "https://a\n",
            "https://a%2eb", "https://ä", "https://[", "https://[]", "https://[::1", "https://[::1]x", "https://[g::]",
            "https://a]", " https://a", "https://a:1:2", "https://a\u{0}", "https://a/\u{7f}",
            "https://a/" + String(repeating: "x", count: 2048),
        ])
    func rejected(url: String) {
        #expect(WebOrigin(url: url) == nil)
    }

    @Test("an authority is a host and perhaps a port, and nothing else")
    func authority() {
        #expect(WebOrigin(scheme: "https", authority: "a:8443")?.port == 8443)
        #expect(WebOrigin(scheme: "https", authority: "a")?.port == 443)
        #expect(WebOrigin(scheme: "http", authority: "A")?.host == "a")
        for text in ["", "a/b", "a?b", "a#b", "u@a", "https://a", "a:", ":80", String(repeating: "a", count: 256)] {
            #expect(WebOrigin(scheme: "https", authority: text) == nil, "\(text)")
        }
        #expect(WebOrigin(scheme: "ws", authority: "a") == nil)
    }
}
