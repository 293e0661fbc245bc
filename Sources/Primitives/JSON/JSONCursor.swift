/// A place in a JSON text, and the steps over its tokens.
///
/// Nothing is kept of what is stepped over. The work is linear in the text, without recursion: a level of nesting costs a
/// byte of memory.
struct JSONCursor {
    let bytes: [UInt8]
    var position: Int

    init(_ bytes: [UInt8], at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var isAtEnd: Bool { position == bytes.count }

    func peek() throws(JSONReader.Failure) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        return bytes[position]
    }

    mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0a, 0x0d: position += 1
            default: return
            }
        }
    }

    mutating func expect(_ byte: UInt8) throws(JSONReader.Failure) {
        guard try peek() == byte else { throw .unexpected(offset: position) }
        position += 1
    }

    mutating func expect(_ word: StaticString) throws(JSONReader.Failure) {
        for byte in "\(word)".utf8 { try expect(byte) }
    }

    /// Steps over the colon after a key, and the white space around it.
    mutating func skipColon() throws(JSONReader.Failure) {
        skipWhitespace()
        try expect(UInt8(ascii: ":"))
        skipWhitespace()
    }

    mutating func skipNumber() throws(JSONReader.Failure) {
        if try peek() == UInt8(ascii: "-") { position += 1 }
        if try peek() == UInt8(ascii: "0") { position += 1 } else { try skipDigits() }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            let sign = try peek()
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
    }

    private mutating func skipDigits() throws(JSONReader.Failure) {
        guard try peek().isASCIIDigit else { throw .unexpected(offset: position) }
        while position < bytes.count, bytes[position].isASCIIDigit { position += 1 }
    }

    /// Steps over a string; returns whether it has escapes.
    ///
    /// An escaped surrogate without its other half is a string by RFC 8259's grammar, and nobody asks here what it means.
    @discardableResult
    mutating func skipString() throws(JSONReader.Failure) -> Bool {
        try expect(UInt8(ascii: "\""))
        let start = position
        var (isASCII, hasEscapes) = (true, false)
        while true {
            let byte = try peek()
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard isASCII || String(validating: bytes[start..<position - 1], as: UTF8.self) != nil else {
                    throw .invalidText(offset: start)
                }
                return hasEscapes
            case UInt8(ascii: "\\"):
                hasEscapes = true
                try skipEscape()
            case 0..<0x20: throw .invalidText(offset: position - 1)
            case 0x80...: isASCII = false
            default: break
            }
        }
    }

    private mutating func skipEscape() throws(JSONReader.Failure) {
        let byte = try peek()
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            break
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard Hex.value(of: try peek()) != nil else { throw .unexpected(offset: position) }
                position += 1
            }
        default: throw .unexpected(offset: position - 1)
        }
    }

    private mutating func skipScalar() throws(JSONReader.Failure) {
        switch try peek() {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"): try expect("true")
        case UInt8(ascii: "f"): try expect("false")
        case UInt8(ascii: "n"): try expect("null")
        default: try skipNumber()
        }
    }

    /// An array or object that has been entered and not left.
    private struct Level {
        let isObject: Bool
        /// Whether a member that is not `null` came before.
        var keepsMember = false
    }

    /// Steps over a value of any depth.
    mutating func skipValue() throws(JSONReader.Failure) {
        var nulls: [Range<Int>] = []
        try skipValue(cutting: &nulls)
    }

    /// Steps over a value of any depth, and says where its members are that are `null`.
    ///
    /// Appends to `nulls` what has to be cut out for its objects to have no member that is `null`, in order; commas that
    /// would be left over included.
    mutating func skipValue(cutting nulls: inout [Range<Int>]) throws(JSONReader.Failure) {
        var levels: [Level] = []
        // Where the text of the present member begins, and the comma before it.
        var (member, comma) = (position, Int?.none)
        while true {
            let byte = try peek()
            if let level = levels.last, level.isObject, byte != UInt8(ascii: "n") {
                if !level.keepsMember, let comma { nulls.append(comma..<comma + 1) }
                levels[levels.count - 1].keepsMember = true
            }
            if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                let isObject = byte == UInt8(ascii: "{")
                position += 1
                (member, comma) = (position, nil)
                skipWhitespace()
                if try peek() != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    levels.append(Level(isObject: isObject))
                    if isObject { try skipKey() }
                    continue
                }
                position += 1
            } else {
                try skipScalar()
                if byte == UInt8(ascii: "n"), levels.last?.isObject == true { nulls.append(member..<position) }
            }
            guard try skipToNextValue(&levels, &member, &comma) else { return }
        }
    }

    private mutating func skipKey() throws(JSONReader.Failure) {
        try skipString()
        try skipColon()
    }

    /// Leaves every level that ends here; returns whether another value follows, else nothing does.
    private mutating func skipToNextValue(
        _ levels: inout [Level], _ member: inout Int, _ comma: inout Int?
    ) throws(JSONReader.Failure) -> Bool {
        while let level = levels.last {
            member = position
            skipWhitespace()
            switch try peek() {
            case UInt8(ascii: ","):
                comma = position
                position += 1
                skipWhitespace()
                if level.isObject { try skipKey() }
                return true
            case level.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"):
                position += 1
                levels.removeLast()
            default: throw .unexpected(offset: position)
            }
        }
        return false
    }
}
