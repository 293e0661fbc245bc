package import NIOCore

/// The field lines of one head, as places in its bytes: nothing is copied until it is forwarded.
package struct FieldSection: Sendable {
    /// One field line.
    package struct Line: Sendable {
        /// What the name means to us.
        package let name: FieldName
        /// Where the name begins in the head.
        let start: Int32
        /// Where the name ends.
        let nameEnd: Int32
        /// Where the value begins, blanks skipped.
        let valueStart: Int32
        /// Where the value ends, blanks skipped.
        let valueEnd: Int32
        /// Where the whole line ends, CRLF included.
        let end: Int32
    }

    /// The head's bytes, from its first line to the empty one.
    let bytes: ByteBuffer
    /// The lines in order.
    package private(set) var lines: [Line] = []
    /// The first line whose name is an alias.
    private(set) var alias: Line?

    /// Reads field lines from `position` to the empty line at the end of `bytes`.
    init(bytes: ByteBuffer, from position: Int) throws(HTTP1Error) {
        self.bytes = bytes
        lines.reserveCapacity(16)
        let span = bytes.readableBytesUInt8Span
        var start = position
        while span[start] != 0x0d {
            guard lines.count < HTTP1Limits.fieldCount else { throw .tooManyFields }
            let line = try Self.line(span, from: start)
            if line.name == .alias, alias == nil { alias = line }
            lines.append(line)
            start = Int(line.end)
        }
        guard start + 2 == span.count else { throw .badLineEnding }
    }

    private static func line(_ span: Span<UInt8>, from start: Int) throws(HTTP1Error) -> Line {
        var colon = start
        var symbols: UInt8 = 0
        while case let kind = tokenTable[Int(span[colon])], kind != 0 {
            symbols |= kind
            colon += 1
        }
        guard colon > start, span[colon] == UInt8(ascii: ":") else { throw .badField }
        var valueStart = colon + 1
        while span[valueStart].isBlank { valueStart += 1 }
        var end = valueStart
        while span[end] != 0x0d {
            guard span[end].isFieldContent else { throw .badLineEnding }
            end += 1
        }
        guard span[end + 1] == 0x0a else { throw .badLineEnding }
        var valueEnd = end
        while valueEnd > valueStart, span[valueEnd - 1].isBlank { valueEnd -= 1 }
        return Line(
            name: FieldName.recognize(span, start, colon, hasSymbol: symbols & symbolKind != 0), start: Int32(start),
            nameEnd: Int32(colon), valueStart: Int32(valueStart), valueEnd: Int32(valueEnd), end: Int32(end + 2))
    }

    /// The value of a line.
    package func value(_ line: Line) -> [UInt8] {
        let span = bytes.readableBytesUInt8Span
        let range = Int(line.valueStart)..<Int(line.valueEnd)
        return [UInt8](capacity: range.count) { output in
            for index in range { output.append(span[index]) }
        }
    }

    /// The whole of a line, without its CRLF.
    package func content(_ line: Line) -> [UInt8] {
        let span = bytes.readableBytesUInt8Span
        let range = Int(line.start)..<Int(line.end) - 2
        return [UInt8](capacity: range.count) { output in
            for index in range { output.append(span[index]) }
        }
    }

    /// Whether a line's value begins with `word`, which is lower-case ASCII, in any case.
    package func hasPrefix(_ line: Line, _ word: [UInt8]) -> Bool {
        guard Int(line.valueEnd - line.valueStart) >= word.count else { return false }
        let span = bytes.readableBytesUInt8Span
        for index in word.indices where span[Int(line.valueStart) + index] | 0x20 != word[index] { return false }
        return true
    }

    /// The value of a line as text; bytes outside UTF-8 are replaced.
    package func text(_ line: Line) -> String {
        String(decoding: value(line), as: UTF8.self)
    }

    /// Whether a line's whole value is `word`, which is lower-case ASCII, in any case.
    private func isValue(_ line: Line, _ word: String) -> Bool {
        let length = Int(line.valueEnd - line.valueStart)
        guard word.utf8.count == length else { return false }
        let span = bytes.readableBytesUInt8Span
        var position = Int(line.valueStart)
        for byte in word.utf8 {
            guard span[position] | 0x20 == byte else { return false }
            position += 1
        }
        return true
    }

    /// The first line of that name.
    package func first(_ name: FieldName) -> Line? {
        lines.first { $0.name == name }
    }

    /// Whether a field's comma-separated values contain a token, in any case.
    package func contains(_ name: FieldName, token: String) -> Bool {
        for line in lines where line.name == name {
            if isValue(line, token) { return true }
            let text = text(line)
            guard text.utf8.contains(UInt8(ascii: ",")) else { continue }
            let elements = text.split(separator: ",")
            if elements.contains(where: { $0.trimmingBlanks.lowercased() == token }) { return true }
        }
        return false
    }

    /// Appends a line unchanged, its CRLF included.
    package func copy(_ line: Line, to output: inout ByteBuffer) {
        let length = Int(line.end - line.start)
        guard let slice = bytes.getSlice(at: bytes.readerIndex + Int(line.start), length: length) else { return }
        output.writeImmutableBuffer(slice)
    }

    /// Names that Connection fields declare to be for this hop only, lower case; nil when there are none but the usual.
    ///
    /// A name that says where the message ends or whom it is for is not obeyed: a head forwarded without its
    /// Content-Length would turn its own body into a second message.
    package var connectionOptions: Set<String>? {
        var options: Set<String> = []
        for line in lines where line.name == .connection && !isValue(line, "keep-alive") && !isValue(line, "close") {
            for element in text(line).split(separator: ",") {
                let option = element.trimmingBlanks.lowercased()
                if !option.isEmpty, !Self.endToEnd.contains(option) { options.insert(option) }
            }
        }
        return options.isEmpty ? nil : options
    }

    private static let endToEnd: Set<String> = ["close", "keep-alive", "content-length", "transfer-encoding", "host"]

    /// The lower-case name of a line.
    package func name(of line: Line) -> String {
        let span = bytes.readableBytesUInt8Span
        var text: [UInt8] = []
        for index in Int(line.start)..<Int(line.nameEnd) { text.append(span[index]) }
        return String(decoding: text, as: UTF8.self).lowercased()
    }

    /// How the body behind this head is framed, before method and status are taken into account; nil for no field.
    func declaredFraming(isHTTP10: Bool) throws(HTTP1Error) -> BodyFraming? {
        var length: UInt64?
        var isChunked = false
        for line in lines {
            switch line.name {
            case .contentLength:
                guard length == nil, let number = Self.plainNumber(value(line)) else { throw .badContentLength }
                length = number
            case .transferEncoding:
                guard !isChunked, Self.isChunkedCoding(value(line)) else { throw .badTransferEncoding }
                isChunked = true
            default: break
            }
        }
        guard !isChunked || (length == nil && !isHTTP10) else { throw .badTransferEncoding }
        return isChunked ? .chunked : length.map(BodyFraming.length)
    }

    /// Compared byte by byte: Unicode has letters outside ASCII whose lower case is inside it.
    private static func isChunkedCoding(_ value: [UInt8]) -> Bool {
        value.count == 7 && zip(value, "chunked".utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    private static func plainNumber(_ digits: [UInt8]) -> UInt64? {
        guard !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
    }
}

extension UInt8 {
    var isBlank: Bool { self == 0x20 || self == 0x09 }

    /// VCHAR, blanks and obs-text; RFC 9110 section 5.5.
    var isFieldContent: Bool { (self >= 0x20 && self != 0x7f) || self == 0x09 }

    /// RFC 9110 section 5.6.2.
    var isTokenCharacter: Bool { tokenTable[Int(self)] != 0 }

    /// Whether it is a token character, but neither a letter, a digit nor a hyphen.
    var isNameSymbol: Bool { tokenTable[Int(self)] == symbolKind }
}

/// What a token character is that is neither a letter, a digit nor a hyphen.
private let symbolKind: UInt8 = 2

/// By byte: 0 for none of a token, 1 for letters, digits and hyphens, ``symbolKind`` for the rest.
private let tokenTable: [UInt8] = {
    var table = [UInt8](repeating: 0, count: 256)
    for byte in "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8 { table[Int(byte)] = 1 }
    for byte in "!#$%&'*+.^_`|~".utf8 { table[Int(byte)] = symbolKind }
    return table
}()

extension Substring {
    package var trimmingBlanks: Substring {
        var rest = self
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}
