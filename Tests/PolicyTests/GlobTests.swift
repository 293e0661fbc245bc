import Policy
import Testing

@Suite("Globs")
struct GlobTests {
    @Test(
        "one star stays within a segment and two cross them",
        arguments: [
            ("/v1/*", "/v1/chat", true), ("/v1/*", "/v1/chat/x", false), ("/v1/*", "/v1/", true),
            ("/v1/*", "/v1", false), ("/v1/**", "/v1/chat/x", true), ("/v1/**", "/v2/chat", false),
            ("**", "", true), ("*", "", true), ("*", "a/b", false), ("**", "a/b", true),
            ("/*/chat", "/v1/chat", true), ("/*/chat", "/v1/x/chat", false), ("/**/chat", "/v1/x/chat", true),
            ("/v1", "/v1", true), ("/v1", "/v1/", false), ("/v1", "/V1", false), ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false), ("***", "a/b", true), ("é*", "éa", true),
        ])
    func paths(pattern: String, text: String, fits: Bool) throws {
        #expect(try #require(Glob(pattern)).matches(text) == fits)
    }

    @Test("where nothing ends segments, one star is enough")
    func unseparated() throws {
        #expect(try #require(Glob("vendor*", separator: nil)).matches("vendor/light"))
    }

    @Test("a pattern that makes others look back takes no longer than its length times the text's")
    func linear() throws {
        let pattern = try #require(Glob(String(repeating: "*a", count: 100) + "b"))
        let text = String(repeating: "a", count: 2000)
        let clock = ContinuousClock()
        let time = clock.measure { #expect(!pattern.matches(text)) }
        #expect(time < .seconds(20))
    }

    @Test("a pattern has 1 to 256 bytes")
    func length() {
        #expect(Glob("") == nil)
        #expect(Glob(String(repeating: "a", count: 257)) == nil)
        #expect(Glob(String(repeating: "a", count: 256)) != nil)
    }
}
