/// Reads the `model` field of a form in parts (RFC 7578) that comes in pieces.
///
/// Readers differ on bare line feeds, text around the parts, folded and repeated fields: all of these are unclear.
struct MultipartScanner: BodyScanner {
    /// Bytes of the fields of one part.
    static let maximumFieldBytes = 16 << 10

    private enum State: Equatable {
        /// Within the first delimiter, so far.
        case opening(Int)
        /// Behind a delimiter: a line end, or the two hyphens of the last one.
        case delimited
        case lineEnd
        case lastHyphen
        case fields
        case content
        case epilogue
        case unclear
    }

    /// What the last bytes were of a line's end.
    private enum LineEnd {
        case none
        case carriageReturn
        case whole
        /// A line ends for some readers only.
        case doubtful
    }

    private let delimiter: [UInt8]
    private var state = State.opening(0)
    private var fields: [UInt8] = []
    private var part = Part.ignored
    private var content: [UInt8] = []
    private var isCut = false
    private var lineEnd = LineEnd.none
    private var matched = 0

    private(set) var candidates = ModelCandidates()

    /// Makes a scanner for parts between lines of two hyphens and `boundary`.
    init(boundary: [UInt8]) {
        delimiter = Array("--".utf8) + boundary
    }

    mutating func absorb(_ bytes: Span<UInt8>) {
        var index = 0
        while index < bytes.count, state != .unclear {
            step(bytes[index])
            index += 1
        }
        if state == .unclear { candidates.unclear() }
    }

    mutating func finish() {
        if state != .epilogue { candidates.unclear() }
    }

    private mutating func step(_ byte: UInt8) {
        switch state {
        case .opening(let count):
            guard byte == delimiter[count] else { return state = .unclear }
            state = count + 1 == delimiter.count ? .delimited : .opening(count + 1)
        case .delimited:
            state = byte == 0x0d ? .lineEnd : byte == UInt8(ascii: "-") ? .lastHyphen : .unclear
        case .lineEnd:
            guard byte == 0x0a else { return state = .unclear }
            fields.removeAll(keepingCapacity: true)
            state = .fields
        case .lastHyphen: state = byte == UInt8(ascii: "-") ? .epilogue : .unclear
        case .fields: field(byte)
        case .content: keep(byte)
        case .epilogue: if ![0x0d, 0x0a, 0x20, 0x09].contains(byte) { state = .unclear }
        case .unclear: break
        }
    }

    private mutating func field(_ byte: UInt8) {
        guard fields.count < Self.maximumFieldBytes else { return state = .unclear }
        fields.append(byte)
        guard byte == 0x0a, fields.count == 2 || fields.suffix(4).elementsEqual([0x0d, 0x0a, 0x0d, 0x0a]) else {
            return
        }
        part = Part(fields)
        if part == .unclear { return state = .unclear }
        content.removeAll(keepingCapacity: true)
        isCut = false
        // A delimiter right here would be one for some readers only.
        (lineEnd, matched, state) = (.doubtful, 0, .content)
    }

    private mutating func keep(_ byte: UInt8) {
        if part != .ignored {
            if content.count < ModelName.maximumBytes + delimiter.count { content.append(byte) } else { isCut = true }
        }
        if lineEnd != .none, byte == delimiter[matched] {
            matched += 1
            if matched == delimiter.count { endPart() }
            return
        }
        switch byte {
        case 0x0d: lineEnd = .carriageReturn
        case 0x0a: lineEnd = lineEnd == .carriageReturn && matched == 0 ? .whole : .doubtful
        default: lineEnd = .none
        }
        matched = 0
    }

    private mutating func endPart() {
        // Behind a bare line feed or carriage return only some readers see a delimiter.
        guard lineEnd == .whole else { return state = .unclear }
        state = .delimited
        guard part != .ignored else { return }
        content.removeLast(min(content.count, delimiter.count + 2))
        let name = isCut ? nil : ModelName.read(content)
        if part == .model { candidates.name(name) } else { candidates.mayName(name) }
    }
}

/// What the fields of one part make of it.
private enum Part {
    /// It is the field `model`.
    case model
    /// Some readers take it for that field.
    case similar
    /// It is another one.
    case ignored
    /// It cannot be told.
    case unclear

    /// Reads the fields with their line ends, the empty line included.
    init(_ bytes: [UInt8]) {
        self = Self.read(bytes) ?? .unclear
    }

    private static func read(_ bytes: [UInt8]) -> Part? {
        guard let lines = lines(bytes) else { return nil }
        let dispositions = lines.filter { $0.name == "content-disposition" }
        let types = lines.filter { $0.name == "content-type" }
        guard dispositions.count == 1, types.count <= 1, let disposition = FieldParameters(dispositions[0].value),
            disposition.value == "form-data", let name = disposition.single("name"),
            // Some readers take the first `name=` that they find, if only at the end of another parameter.
            disposition.parameters.first?.name == "name",
            disposition.parameters.dropFirst().allSatisfy({ ["filename", "filename*"].contains($0.name) }),
            !EncodedWord.mayBegin(in: dispositions[0].value), !hasEscapedQuote(dispositions[0].value)
        else { return nil }
        let type = types.first.flatMap { MediaType($0.value) }
        guard types.isEmpty == (type == nil), type?.type != "multipart" else { return nil }
        let kind = ModelName.key(name, inForm: true)
        guard kind != .other else {
            // Some readers decode what browsers encode.
            let decoded = PercentCoding.decode(name) ?? []
            return ModelName.key(decoded, inForm: true) == .other ? .ignored : nil
        }
        // A file of that name is no text to some readers, and an encoded text is another one to some.
        let isPlainText = type.map { $0.type == "text" && $0.subtype == "plain" && $0.isUTF8 } ?? true
        let codings = lines.filter { $0.name == "content-transfer-encoding" }
        guard isPlainText, codings.isEmpty, kind != .unreadable,
            disposition.parameters.allSatisfy({ $0.name == "name" })
        else { return nil }
        return kind == .exact ? .model : .similar
    }

    /// Whether a quote has a backslash in front: some readers end the text there, and find other parameters behind it.
    private static func hasEscapedQuote(_ bytes: ArraySlice<UInt8>) -> Bool {
        zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: "\\") && $1 == UInt8(ascii: "\"") }
    }

    private static func lines(_ bytes: [UInt8]) -> [(name: String, value: ArraySlice<UInt8>)]? {
        var lines: [(name: String, value: ArraySlice<UInt8>)] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: 0x0d) {
            guard rest.index(after: end) < rest.endIndex, rest[end + 1] == 0x0a else { return nil }
            let line = rest[..<end]
            rest = rest[(end + 2)...]
            if line.isEmpty { return rest.isEmpty ? lines : nil }
            let name = line.prefix(while: FieldParameters.isToken)
            let value = line.dropFirst(name.count)
            guard !name.isEmpty, !line.starts(with: "--".utf8), value.first == UInt8(ascii: ":"),
                value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 })
            else { return nil }
            lines.append((String(decoding: name, as: UTF8.self).lowercased(), value.dropFirst()))
        }
        return nil
    }
}
