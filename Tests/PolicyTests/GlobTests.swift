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

    @Test("a pattern that makes others look back takes no longer than its text is long")
    func linear() throws {
        let pattern = try #require(Glob(String(repeating: "*a", count: 100) + "b*"))
        let text = String(repeating: "a", count: 1_000_000)
        let clock = ContinuousClock()
        // A million bytes, in a build that is not optimised: an exponential or quadratic search would never end.
        let time = clock.measure { #expect(!pattern.matches(text)) }
        #expect(time < .seconds(60))
    }

    /// The definition, word for word.
    private static func fits(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>, separator: UInt8?) -> Bool {
        guard let step = pattern.first else { return text.isEmpty }
        let star = UInt8(ascii: "*")
        guard step == star else {
            return text.first == step && fits(pattern.dropFirst(), text.dropFirst(), separator: separator)
        }
        let stars = pattern.prefix { $0 == star }.count
        let rest = pattern.dropFirst(stars)
        var tail = text
        while true {
            if fits(rest, tail, separator: separator) { return true }
            guard let next = tail.popFirst(), stars > 1 || next != separator else { return false }
        }
    }

    @Test("patterns and texts at random agree with the definition", arguments: [UInt8(ascii: "/"), nil])
    func definition(separator: UInt8?) throws {
        var random = Numbers(state: 20_261_201)
        var fitting = 0
        for _ in 0..<60_000 {
            let pattern = random.bytes(from: "ab/**", atMost: 10)
            let text = random.bytes(from: "aab/", atMost: 12)
            guard let glob = Glob(String(decoding: pattern, as: UTF8.self), separator: separator) else { continue }
            let expected = Self.fits(pattern[...], text[...], separator: separator)
            fitting += expected ? 1 : 0
            let found = glob.matches(String(decoding: text, as: UTF8.self))
            #expect(found == expected, "\(glob.text) \(String(decoding: text, as: UTF8.self))")
        }
        #expect(fitting > 3000)
    }

    @Test("long patterns agree with the definition too: their places fill more than one word")
    func longPatterns() throws {
        var random = Numbers(state: 7)
        var fitting = 0
        for _ in 0..<300 {
            let parts = (0..<60).map { _ in random.bytes(from: "ab", atMost: 2) }
            let star = Array("*".utf8)
            let pattern = star + Array(parts.joined(separator: star)) + star
            var text = Array(parts.joined(separator: random.bytes(from: "ab", atMost: 1)))
            if random.next(below: 3) == 0, !text.isEmpty { text.remove(at: random.next(below: text.count)) }
            let glob = try #require(Glob(String(decoding: pattern, as: UTF8.self)))
            let expected = Self.isInOrder(parts, text)
            fitting += expected ? 1 : 0
            #expect(glob.matches(String(decoding: text, as: UTF8.self)) == expected)
        }
        #expect((50..<300).contains(fitting))
    }

    /// Whether parts follow one another in a text, other bytes between them: the leftmost place of each is the best.
    private static func isInOrder(_ parts: [[UInt8]], _ text: [UInt8]) -> Bool {
        var rest = text[...]
        for part in parts where !part.isEmpty {
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return true
    }

    private struct Numbers {
        var state: UInt64

        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }

        mutating func bytes(from alphabet: String, atMost limit: Int) -> [UInt8] {
            let letters = Array(alphabet.utf8)
            return (0..<next(below: limit + 1)).map { _ in letters[next(below: letters.count)] }
        }
    }

    @Test("a pattern has 1 to 256 bytes")
    func length() {
        #expect(Glob("") == nil)
        #expect(Glob(String(repeating: "a", count: 257)) == nil)
        #expect(Glob(String(repeating: "a", count: 256)) != nil)
    }
}
