/// A strict RFC 8259 reader that keeps the place of every value, so that a seller's text can be echoed unchanged.
///
/// It refuses what would give one text two readings: duplicate keys, invalid UTF-8, lone surrogates, trailing text.
/// Its work is bounded by the length of the input and by `maximumDepth` and `maximumValues`.
package struct JSONReader {
    /// Why a text was refused; every case carries the offset of the offending byte.
    package enum Failure: Error, Equatable, Sendable {
        case unexpected(offset: Int)
        case truncated
        case duplicateKey(String)
        case invalidText(offset: Int)
        case tooDeep(offset: Int)
        case tooManyValues(offset: Int)
    }

    /// Nested arrays and objects that are still read.
    package static let maximumDepth = 32
    /// Values of a document that are still read.
    package static let maximumValues = 20_000

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private var count = 0

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Reads one document that fills the whole input but for white space.
    package static func read(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes: bytes)
        reader.skipWhitespace()
        let value = try reader.value()
        reader.skipWhitespace()
        guard reader.position == bytes.count else { throw .unexpected(offset: reader.position) }
        return value
    }

    private func peek() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        return bytes[position]
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    private mutating func expect(_ byte: UInt8) throws(Failure) {
        guard try peek() == byte else { throw .unexpected(offset: position) }
        position += 1
    }

    private mutating func value() throws(Failure) -> JSONValue {
        count += 1
        guard count <= Self.maximumValues else { throw .tooManyValues(offset: position) }
        let start = position
        let kind: JSONValue.Kind
        switch try peek() {
        case UInt8(ascii: "{"): kind = try object()
        case UInt8(ascii: "["): kind = try array()
        case UInt8(ascii: "\""): kind = .string(try string())
        case UInt8(ascii: "t"): kind = try literal("true", .bool(true))
        case UInt8(ascii: "f"): kind = try literal("false", .bool(false))
        case UInt8(ascii: "n"): kind = try literal("null", .null)
        default: kind = try number()
        }
        return JSONValue(kind: kind, range: start..<position)
    }

    private mutating func literal(_ word: StaticString, _ kind: JSONValue.Kind) throws(Failure) -> JSONValue.Kind {
        for byte in "\(word)".utf8 { try expect(byte) }
        return kind
    }

    private mutating func enter() throws(Failure) {
        depth += 1
        guard depth <= Self.maximumDepth else { throw .tooDeep(offset: position) }
        position += 1
        skipWhitespace()
    }

    /// Steps over `,` (true) or the closing byte (false).
    private mutating func more(until close: UInt8) throws(Failure) -> Bool {
        skipWhitespace()
        let byte = try peek()
        guard byte == close || byte == UInt8(ascii: ",") else { throw .unexpected(offset: position) }
        position += 1
        guard byte != close else { return false }
        skipWhitespace()
        return true
    }

    private mutating func array() throws(Failure) -> JSONValue.Kind {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        repeat { elements.append(try value()) } while try more(until: UInt8(ascii: "]"))
        return .array(elements)
    }

    private mutating func object() throws(Failure) -> JSONValue.Kind {
        try enter()
        defer { depth -= 1 }
        var members: [JSONMember] = []
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        // Small objects are compared key by key; a large one gets a set, so that hostile input stays linear.
        var seen: Set<String> = []
        repeat {
            guard try peek() == UInt8(ascii: "\"") else { throw .unexpected(offset: position) }
            let key = try string()
            let duplicate: Bool
            if members.count < 16 {
                duplicate = members.contains { $0.key == key }
            } else {
                if seen.isEmpty { seen = Set(members.map(\.key)) }
                duplicate = !seen.insert(key).inserted
            }
            guard !duplicate else { throw .duplicateKey(key) }
            skipWhitespace()
            try expect(UInt8(ascii: ":"))
            skipWhitespace()
            members.append(JSONMember(key: key, value: try value()))
        } while try more(until: UInt8(ascii: "}"))
        return .object(members)
    }

    private mutating func number() throws(Failure) -> JSONValue.Kind {
        let start = position
        if try peek() == UInt8(ascii: "-") { position += 1 }
        if try peek() == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            let sign = try peek()
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() throws(Failure) {
        guard try peek().isASCIIDigit else { throw .unexpected(offset: position) }
        while position < bytes.count, bytes[position].isASCIIDigit { position += 1 }
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        while true {
            let byte = try peek()
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            guard byte >= 0x20 else { throw .invalidText(offset: position) }
            position += 1
        }
        if bytes[position] == UInt8(ascii: "\"") {
            let text = String(validating: bytes[start..<position], as: UTF8.self)
            guard let text else { throw .invalidText(offset: start) }
            position += 1
            return text
        }
        return try escapedString(from: start)
    }

    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var unescaped = Array(bytes[start..<position])
        while true {
            let byte = try peek()
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: unescaped, as: UTF8.self) else {
                    throw .invalidText(offset: start)
                }
                return text
            case UInt8(ascii: "\\"):
                unescaped.append(contentsOf: try escape())
            case 0..<0x20:
                throw .invalidText(offset: position - 1)
            default:
                unescaped.append(byte)
            }
        }
    }

    private mutating func escape() throws(Failure) -> [UInt8] {
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw .unexpected(offset: position - 1)
        }
    }

    private mutating func unicodeEscape() throws(Failure) -> [UInt8] {
        let start = position
        var code = UInt32(try hexQuad())
        if code & 0xfc00 == 0xd800 {
            try expect(UInt8(ascii: "\\"))
            try expect(UInt8(ascii: "u"))
            let low = UInt32(try hexQuad())
            guard low & 0xfc00 == 0xdc00 else { throw .invalidText(offset: start) }
            code = 0x10000 + (code & 0x3ff) << 10 + low & 0x3ff
        }
        guard let scalar = Unicode.Scalar(code) else { throw .invalidText(offset: start) }
        return Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func hexQuad() throws(Failure) -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = Hex.value(of: try peek()) else { throw .unexpected(offset: position) }
            code = code << 4 | UInt16(digit)
            position += 1
        }
        return code
    }
}
