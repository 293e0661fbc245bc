/// A strict RFC 8259 reader that keeps the place of every value, so that a seller's text can be echoed unchanged.
///
/// It refuses what would give one text two readings: duplicate keys, invalid UTF-8, lone surrogates, trailing text.
/// Its work is bounded by the length of the input and by `maximumDepth` and `maximumValues`. Of a document whose outline is
/// given only the parts that it names are held to this; see ``JSONOutline``.
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

    private var cursor: JSONCursor
    private var depth = 0
    private var count = 0

    private init(bytes: [UInt8]) {
        cursor = JSONCursor(bytes)
    }

    /// Reads one document that fills the whole input but for white space.
    package static func read(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        try document(bytes) { reader throws(Failure) in try reader.value() }
    }

    /// Reads the parts of a document that an outline names.
    package static func read(_ bytes: [UInt8], outline: JSONOutline) throws(Failure) -> JSONValue {
        try document(bytes) { reader throws(Failure) in try reader.value(outline) }
    }

    private static func document(
        _ bytes: [UInt8], _ read: (inout JSONReader) throws(Failure) -> JSONValue
    ) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes: bytes)
        reader.cursor.skipWhitespace()
        let value = try read(&reader)
        reader.cursor.skipWhitespace()
        guard reader.cursor.isAtEnd else { throw .unexpected(offset: reader.cursor.position) }
        return value
    }

    private mutating func value() throws(Failure) -> JSONValue {
        count += 1
        guard count <= Self.maximumValues else { throw .tooManyValues(offset: cursor.position) }
        let start = cursor.position
        let kind: JSONValue.Kind
        switch try cursor.peek() {
        case UInt8(ascii: "{"): kind = try object()
        case UInt8(ascii: "["): kind = try array()
        case UInt8(ascii: "\""): kind = .string(try string())
        case UInt8(ascii: "t"): kind = try literal("true", .bool(true))
        case UInt8(ascii: "f"): kind = try literal("false", .bool(false))
        case UInt8(ascii: "n"): kind = try literal("null", .null)
        default: kind = try number()
        }
        return JSONValue(kind: kind, range: start..<cursor.position)
    }

    /// Goes no deeper than the outline does.
    private mutating func value(_ outline: JSONOutline) throws(Failure) -> JSONValue {
        let start = cursor.position
        let byte = try cursor.peek()
        let kind: JSONValue.Kind
        switch (outline, byte) {
        case (.whole, _): return try value()
        case (.members(let known), UInt8(ascii: "{")): kind = try members(known)
        case (.allMembers(let outline), UInt8(ascii: "{")): kind = try members(each: outline)
        case (.elements(let outline), UInt8(ascii: "[")):
            kind = try array { reader throws(Failure) in try reader.element(outline) }
        case (.repeatable(let outline), _): return try value(outline)
        case (.text, _), (_, UInt8(ascii: "{")), (_, UInt8(ascii: "[")):
            try cursor.skipValue()
            kind = .opaque
        default: return try value()
        }
        return JSONValue(kind: kind, range: start..<cursor.position)
    }

    /// Reads one element; a failure that leaves the text JSON is the element's alone.
    private mutating func element(_ outline: JSONOutline) throws(Failure) -> JSONValue {
        let (start, outerDepth) = (cursor.position, depth)
        do throws(Failure) {
            return try value(outline)
        } catch {
            cursor.position = start
            depth = outerDepth
            try cursor.skipValue()
            return JSONValue(kind: .unreadable(error), range: start..<cursor.position)
        }
    }

    private mutating func literal(_ word: StaticString, _ kind: JSONValue.Kind) throws(Failure) -> JSONValue.Kind {
        try cursor.expect(word)
        return kind
    }

    private mutating func enter() throws(Failure) {
        depth += 1
        guard depth <= Self.maximumDepth else { throw .tooDeep(offset: cursor.position) }
        cursor.position += 1
        cursor.skipWhitespace()
    }

    /// Steps over `,` (true) or the closing byte (false).
    private mutating func more(until close: UInt8) throws(Failure) -> Bool {
        cursor.skipWhitespace()
        let byte = try cursor.peek()
        guard byte == close || byte == UInt8(ascii: ",") else { throw .unexpected(offset: cursor.position) }
        cursor.position += 1
        guard byte != close else { return false }
        cursor.skipWhitespace()
        return true
    }

    private mutating func array() throws(Failure) -> JSONValue.Kind {
        try array { reader throws(Failure) in try reader.value() }
    }

    private mutating func array(
        _ element: (inout JSONReader) throws(Failure) -> JSONValue
    ) throws(Failure) -> JSONValue.Kind {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if try cursor.peek() == UInt8(ascii: "]") {
            cursor.position += 1
            return .array(elements)
        }
        repeat { elements.append(try element(&self)) } while try more(until: UInt8(ascii: "]"))
        return .array(elements)
    }

    /// Steps through an object's members; `read` is called at each value.
    private mutating func eachMember(
        _ read: (inout JSONReader, _ key: String?) throws(Failure) -> Void
    ) throws(Failure) {
        try enter()
        defer { depth -= 1 }
        if try cursor.peek() == UInt8(ascii: "}") {
            cursor.position += 1
            return
        }
        repeat {
            let key = try key()
            try cursor.skipColon()
            try read(&self, key)
        } while try more(until: UInt8(ascii: "}"))
    }

    private mutating func members(
        _ known: [(key: String, outline: JSONOutline)]
    ) throws(Failure) -> JSONValue.Kind {
        var members: [JSONMember] = []
        try eachMember { reader, key throws(Failure) in
            // Unicode has letters outside ASCII that are equal to some inside it, and all of them take more bytes.
            let index = known.indices.first { known[$0].key.utf8.count == key?.utf8.count && known[$0].key == key }
            guard let key, let index else { return try reader.cursor.skipValue() }
            let outline = known[index].outline
            guard outline.mayRepeat || !members.contains(where: { $0.key == key }) else { throw .duplicateKey(key) }
            members.append(JSONMember(key: key, value: try reader.value(outline)))
        }
        return .object(members)
    }

    private mutating func members(each outline: JSONOutline) throws(Failure) -> JSONValue.Kind {
        var members: [JSONMember] = []
        try eachMember { reader, key throws(Failure) in
            let value = try reader.value(outline)
            if let key { members.append(JSONMember(key: key, value: value)) }
        }
        return .object(members)
    }

    /// The key at this place; nil when it is no text, by a surrogate without its other half.
    private mutating func key() throws(Failure) -> String? {
        let start = cursor.position
        let hasEscapes = try cursor.skipString()
        let end = cursor.position
        guard hasEscapes else { return String(decoding: cursor.bytes[start + 1..<end - 1], as: UTF8.self) }
        cursor.position = start
        defer { cursor.position = end }
        return try? string()
    }

    private mutating func object() throws(Failure) -> JSONValue.Kind {
        try enter()
        defer { depth -= 1 }
        var members: [JSONMember] = []
        if try cursor.peek() == UInt8(ascii: "}") {
            cursor.position += 1
            return .object(members)
        }
        // Small objects are compared key by key; a large one gets a set, so that hostile input stays linear.
        var seen: Set<String> = []
        repeat {
            guard try cursor.peek() == UInt8(ascii: "\"") else { throw .unexpected(offset: cursor.position) }
            let key = try string()
            let duplicate: Bool
            if members.count < 16 {
                duplicate = members.contains { $0.key == key }
            } else {
                if seen.isEmpty { seen = Set(members.map(\.key)) }
                duplicate = !seen.insert(key).inserted
            }
            guard !duplicate else { throw .duplicateKey(key) }
            try cursor.skipColon()
            members.append(JSONMember(key: key, value: try value()))
        } while try more(until: UInt8(ascii: "}"))
        return .object(members)
    }

    private mutating func number() throws(Failure) -> JSONValue.Kind {
        let start = cursor.position
        try cursor.skipNumber()
        return .number(String(decoding: cursor.bytes[start..<cursor.position], as: UTF8.self))
    }

    private mutating func string() throws(Failure) -> String {
        cursor.position += 1
        let start = cursor.position
        while true {
            let byte = try cursor.peek()
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { break }
            guard byte >= 0x20 else { throw .invalidText(offset: cursor.position) }
            cursor.position += 1
        }
        if cursor.bytes[cursor.position] == UInt8(ascii: "\"") {
            let text = String(validating: cursor.bytes[start..<cursor.position], as: UTF8.self)
            guard let text else { throw .invalidText(offset: start) }
            cursor.position += 1
            return text
        }
        return try escapedString(from: start)
    }

    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var unescaped = Array(cursor.bytes[start..<cursor.position])
        while true {
            let byte = try cursor.peek()
            cursor.position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: unescaped, as: UTF8.self) else {
                    throw .invalidText(offset: start)
                }
                return text
            case UInt8(ascii: "\\"):
                unescaped.append(contentsOf: try escape())
            case 0..<0x20:
                throw .invalidText(offset: cursor.position - 1)
            default:
                unescaped.append(byte)
            }
        }
    }

    private mutating func escape() throws(Failure) -> [UInt8] {
        let byte = try cursor.peek()
        cursor.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0c]
        case UInt8(ascii: "n"): return [0x0a]
        case UInt8(ascii: "r"): return [0x0d]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw .unexpected(offset: cursor.position - 1)
        }
    }

    private mutating func unicodeEscape() throws(Failure) -> [UInt8] {
        let start = cursor.position
        var code = UInt32(try hexQuad())
        if code & 0xfc00 == 0xd800 {
            try cursor.expect(UInt8(ascii: "\\"))
            try cursor.expect(UInt8(ascii: "u"))
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
            guard let digit = Hex.value(of: try cursor.peek()) else { throw .unexpected(offset: cursor.position) }
            code = code << 4 | UInt16(digit)
            cursor.position += 1
        }
        return code
    }
}
