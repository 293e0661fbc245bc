import Primitives
import RequestFacts
import TestSupport
import Testing

/// Every request of `Specs/vectors/model-facts.json`, its body in pieces of several sizes.
@Suite("Facts: the model of a request")
struct ModelVectorTests {
    static let rows: [Vectors.Row] = {
        let document = try? Vectors.document("Specs/vectors/model-facts.json")
        return (document?["requests"]?.elements ?? []).map { row in
            Vectors.Row(description: row["name"]?.string ?? "?", value: row)
        }
    }()

    @Test("the vectors are there")
    func present() {
        #expect(Self.rows.count > 390)
    }

    @Test("a request names the model that every reader finds, or none, or nobody can say", arguments: rows)
    func fact(row: Vectors.Row) throws {
        func values(_ key: String) -> [[UInt8]] {
            (row.value[key]?.elements ?? []).compactMap { $0.string.map { Array($0.utf8) } }
        }
        let outline = RequestOutline(
            target: row.value["target"]?.string ?? "/v1/chat/completions", contentTypes: values("content-type"),
            contentEncodings: values("content-encoding"))
        let body: [UInt8]
        if let text = row.value["body-base64"]?.string {
            body = try #require(Base64.decodeLenient(text.utf8))
        } else {
            body = Array((row.value["body"]?.string ?? "").utf8)
        }
        let expected: Fact<String>
        switch try row.string("fact") {
        case "known": expected = .known(try row.string("model"))
        case "none": expected = .absent
        default: expected = .unknown
        }
        for size in [max(1, body.count), 1, 7, 64] {
            #expect(Self.read(body, outline, pieces: size) == expected, "pieces of \(size)")
        }
    }

    /// What a reader makes of a body that comes in pieces of at most so many bytes.
    static func read(_ body: [UInt8], _ outline: RequestOutline, pieces size: Int) -> Fact<String> {
        let reader = ModelReader(outline)
        var position = 0
        while position < body.count {
            let end = min(position + size, body.count)
            reader.absorb(Array(body[position..<end]).span)
            position = end
        }
        return reader.finish()
    }
}
