import Primitives
import TestSupport

/// One case of Specs/http1-cases.json.
struct ConformanceCase: Sendable {
    let name: String
    private let value: JSONValue

    /// The cases of a part of the document, `requests` or `answers`.
    static func all(_ part: String) throws -> [ConformanceCase] {
        guard let rows = try Vectors.document("Specs/http1-cases.json")[part]?.elements else {
            throw Vectors.Failure.missing(part)
        }
        return try rows.map { row in
            guard let name = row["name"]?.string else { throw Vectors.Failure.missing("name in \(part)") }
            return ConformanceCase(name: name, value: row)
        }
    }

    /// The bytes to send, with what stands in braces filled in.
    func bytes(_ key: String, host: String = "", token: String = "") throws -> [UInt8] {
        guard let parts = value[key]?.elements else { throw Vectors.Failure.missing("\(name): \(key)") }
        var bytes: [UInt8] = []
        for part in parts {
            if let text = part.string {
                let filled = text.replacing("{auth}", with: "host: {host}\r\nx-api-key: {token}\r\n")
                    .replacing("{host}", with: host).replacing("{token}", with: token)
                bytes += Self.latin1(filled)
            } else if let text = part["repeat"]?.string, let times = part["times"]?.integer {
                for _ in 0..<times { bytes += Self.latin1(text) }
            } else {
                throw Vectors.Failure.missing("\(name): a text or a repetition")
            }
        }
        return bytes
    }

    /// A text that is sent or expected, as bytes; nil when the case says nothing of it.
    func text(_ key: String) -> String? { value[key]?.string }

    func expectedBytes(_ key: String) -> [UInt8]? { value[key]?.string.map(Self.latin1) }

    func number(_ key: String) -> Int? { value[key]?.integer.map { Int($0) } }

    func flag(_ key: String) -> Bool? { value[key]?.bool }

    func texts(_ key: String) -> [String] { value[key]?.elements?.compactMap(\.string) ?? [] }

    func numbers(_ key: String) -> [Int]? { value[key]?.elements?.compactMap { $0.integer.map { Int($0) } } }

    static func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

    /// Bytes as a text in which each is one character.
    static func text(_ bytes: [UInt8]) -> String {
        var text = ""
        for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        return text
    }
}
