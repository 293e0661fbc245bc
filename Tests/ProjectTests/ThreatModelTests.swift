import Foundation
import Primitives
import Testing

/// The numbers in the threat model are those of files that exist.
@Suite("Threat model")
struct ThreatModelTests {
    private static func text(of path: String) throws -> String {
        try String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)
    }

    private static func members(_ key: String, of path: String) throws -> Int {
        let document = try JSONReader.read(Array(text(of: path).utf8))
        return try #require(document[key]?.elements?.count, "\(path) has no \(key)")
    }

    @Test("it claims no more cases than there are")
    func counts() throws {
        let corpus = try FileManager.default.subpathsOfDirectory(
            atPath: Repository.root.appending(path: "Tests/Fuzzing/corpus").path(percentEncoded: false))
        let inputs = corpus.count { $0.contains("/") }
        let readers = Set(corpus.compactMap { $0.split(separator: "/").first.map(String.init) })
        let claims: [(String, Int)] = [
            ("raw requests in `http1-cases.json`", try Self.members("requests", of: "Specs/http1-cases.json")),
            ("raw answers in `http1-cases.json`", try Self.members("answers", of: "Specs/http1-cases.json")),
            ("misbehaving sellers in `misbehaviours.json`", try Self.members("cases", of: "Specs/misbehaviours.json")),
            ("requests in `model-facts.json`", try Self.members("requests", of: "Specs/vectors/model-facts.json")),
            ("inputs for \(readers.count) readers", inputs),
        ]
        let model = try Self.text(of: "Specs/threat-model.md")
        for (what, count) in claims {
            let range = try #require(model.firstRange(of: " \(what)"), "\(what)")
            let words = model[..<range.lowerBound].split(separator: " ").suffix(3).map(String.init)
            #expect(words.first == "at" && words.dropFirst().first == "least", "\(what)")
            let number = try #require(words.last.flatMap { Int($0) }, "\(what)")
            #expect(number <= count, "\(what)")
        }
    }
}
