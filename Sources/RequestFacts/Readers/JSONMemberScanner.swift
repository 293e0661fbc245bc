import Primitives

/// Reads the `model` of a JSON text (RFC 8259) of any length that comes in pieces: only the members at the top are looked
/// at, and what is nested is passed over without recursion.
///
/// It is strict where readers differ: invalid UTF-8, comments, numbers such as `01` or `NaN`, a byte order mark and
/// anything after the document make the model unclear. Half a surrogate pair does not, outside the keys and values
/// that count: every reader finds the same members.
struct JSONMemberScanner: BodyScanner {
    /// Arrays and objects within each other that are still followed.
    static let maximumDepth = 100_000

    private enum State {
        case value
        case elementOrEnd
        case keyOrEnd
        case key
        case colon
        case commaOrEnd
        case string
        case escape
        case hex
        case word
        case minus
        case zero
        case integer
        case point
        case fraction
        case exponent
        case exponentSign
        case exponentDigits
    }

    /// What is kept of a text, escapes taken off.
    private struct Capture {
        var bytes: [UInt8] = []
        var limit = 0
        var isCut = false
        var isValid = true

        mutating func begin(limit: Int) {
            bytes.removeAll(keepingCapacity: true)
            (self.limit, isCut, isValid) = (limit, false, true)
        }

        mutating func add(_ byte: UInt8) {
            if bytes.count < limit { bytes.append(byte) } else { isCut = true }
        }
    }

    /// A value of a key that is `model`, or that some readers take for it.
    private enum Value: Equatable {
        case text(String)
        case null
    }

    private var state = State.value
    /// The closing bytes of what is open, innermost last.
    private var open: [UInt8] = []
    private var isKey = false
    private var capture = Capture()
    private var isCapturing = false
    /// What the key before the present value is, at the top.
    private var key = ModelName.Key.other
    /// The beginning of the word that goes on, and how much of it has come.
    private var word: [UInt8] = []
    private var wordBytes = 0
    private var hexDigits = 0
    private var hexValue: UInt32 = 0
    /// The first half of a surrogate pair whose second one has to follow.
    private var highSurrogate: UInt32?
    private var utf8 = UTF8Sequence()
    private var isObject = false
    private var isScalar = false
    /// The value of every key so far that is `model` or similar; two that differ make the model unclear.
    private var value: Value?
    /// Whether one of these keys was `model` itself.
    private var isExact = false

    private(set) var candidates = ModelCandidates()

    mutating func absorb(_ bytes: Span<UInt8>) {
        var index = 0
        while index < bytes.count, !candidates.isUnclear {
            if state == .string {
                index = text(bytes, from: index)
            } else {
                step(bytes[index])
                index += 1
            }
        }
    }

    mutating func finish() {
        switch state {
        case .zero, .integer, .fraction, .exponentDigits: afterValue()
        default: break
        }
        guard state == .commaOrEnd, open.isEmpty, isObject || isScalar else { return candidates.unclear() }
        switch value {
        // Readers take null for no model, wherever they look.
        case nil, .null: break
        case .text(let name): if isExact { candidates.name(name) } else { candidates.mayName(name) }
        }
    }

    // MARK: Structure

    private mutating func step(_ byte: UInt8) {
        switch state {
        case .value, .elementOrEnd: beginValue(byte)
        case .keyOrEnd, .key: beginKey(byte)
        case .colon:
            guard !Self.isBlank(byte) else { return }
            guard byte == UInt8(ascii: ":") else { return candidates.unclear() }
            state = .value
        case .commaOrEnd: afterValue(byte)
        case .escape: escape(byte)
        case .hex: hex(byte)
        case .word: word(byte)
        case .minus, .zero, .integer, .point, .fraction, .exponent, .exponentSign, .exponentDigits: number(byte)
        case .string: break
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 }

    private mutating func beginValue(_ byte: UInt8) {
        guard !Self.isBlank(byte) else { return }
        if state == .elementOrEnd, byte == UInt8(ascii: "]") { return close(byte) }
        let isWanted = open.count == 1 && isObject && key != .other
        switch byte {
        case UInt8(ascii: "{"): enter(UInt8(ascii: "}"), .keyOrEnd, isWanted)
        case UInt8(ascii: "["): enter(UInt8(ascii: "]"), .elementOrEnd, isWanted)
        case UInt8(ascii: "\""):
            // A text at the top may be a document of its own to some readers.
            if open.isEmpty { return candidates.unclear() }
            isCapturing = isWanted
            if isWanted { capture.begin(limit: ModelName.maximumBytes) }
            isKey = false
            state = .string
        case UInt8(ascii: "t"): begin(Self.words.true, isWanted)
        case UInt8(ascii: "f"): begin(Self.words.false, isWanted)
        case UInt8(ascii: "n"): begin(Self.words.null, isWanted)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            if isWanted { found(nil) }
            state = byte == UInt8(ascii: "-") ? .minus : byte == UInt8(ascii: "0") ? .zero : .integer
        default: candidates.unclear()
        }
        if open.isEmpty { isScalar = true }
    }

    private mutating func enter(_ closing: UInt8, _ next: State, _ isWanted: Bool) {
        if isWanted { found(nil) }
        guard open.count < Self.maximumDepth else { return candidates.unclear() }
        if open.isEmpty {
            isObject = closing == UInt8(ascii: "}")
            // Elements of a batch are requests of their own to some readers.
            if !isObject { return candidates.unclear() }
        }
        open.append(closing)
        state = next
    }

    private mutating func beginKey(_ byte: UInt8) {
        guard !Self.isBlank(byte) else { return }
        if state == .keyOrEnd, byte == UInt8(ascii: "}") { return close(byte) }
        guard byte == UInt8(ascii: "\"") else { return candidates.unclear() }
        isKey = true
        isCapturing = open.count == 1
        if isCapturing { capture.begin(limit: ModelName.maximumKeyBytes) }
        state = .string
    }

    private mutating func close(_ byte: UInt8) {
        guard open.popLast() == byte else { return candidates.unclear() }
        state = .commaOrEnd
    }

    private mutating func afterValue() { state = .commaOrEnd }

    private mutating func afterValue(_ byte: UInt8) {
        guard !Self.isBlank(byte) else { return }
        guard let closing = open.last else { return candidates.unclear() }
        if byte == UInt8(ascii: ",") {
            state = closing == UInt8(ascii: "}") ? .key : .value
        } else {
            close(byte)
        }
    }

    private mutating func found(_ value: Value?) {
        // Equal values say the same however often they come; nil is no name, or one with several readings.
        guard let value, self.value == nil || self.value == value else { return candidates.unclear() }
        self.value = value
        if key == .exact { isExact = true }
    }

    // MARK: Words and numbers

    private static let words = (null: [UInt8]("null".utf8), true: [UInt8]("true".utf8), false: [UInt8]("false".utf8))

    private mutating func begin(_ word: [UInt8], _ isWanted: Bool) {
        if isWanted { found(word == Self.words.null ? .null : nil) }
        (self.word, wordBytes, state) = (word, 1, .word)
    }

    private mutating func word(_ byte: UInt8) {
        guard byte == word[wordBytes] else { return candidates.unclear() }
        wordBytes += 1
        if wordBytes == word.count { afterValue() }
    }

    private mutating func number(_ byte: UInt8) {
        let isDigit = byte.isASCIIDigit
        switch (state, byte) {
        case (.minus, UInt8(ascii: "0")): state = .zero
        case (.minus, _) where isDigit: state = .integer
        case (.integer, _) where isDigit, (.fraction, _) where isDigit, (.exponentDigits, _) where isDigit: break
        case (.zero, UInt8(ascii: ".")), (.integer, UInt8(ascii: ".")): state = .point
        case (.point, _) where isDigit: state = .fraction
        case (.zero, 0x65), (.zero, 0x45), (.integer, 0x65), (.integer, 0x45), (.fraction, 0x65), (.fraction, 0x45):
            state = .exponent
        case (.exponent, UInt8(ascii: "+")), (.exponent, UInt8(ascii: "-")): state = .exponentSign
        case (.exponent, _) where isDigit, (.exponentSign, _) where isDigit: state = .exponentDigits
        case (.zero, _), (.integer, _), (.fraction, _), (.exponentDigits, _):
            guard !isDigit else { return candidates.unclear() }
            afterValue()
            afterValue(byte)
        default: candidates.unclear()
        }
    }

    // MARK: Texts

    /// Reads on in a text; returns where it stopped.
    private mutating func text(_ bytes: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                guard utf8.isComplete else { return malformed(index) }
                if isCapturing { add(byte) }
                continue
            }
            if byte >= 0x80 {
                guard utf8.takes(byte) else { return malformed(index) }
                if isCapturing { add(byte) }
                continue
            }
            guard byte >= 0x20, utf8.isComplete else { return malformed(index) }
            if byte == UInt8(ascii: "\\") { state = .escape } else { endText() }
            return index
        }
        return index
    }

    private mutating func malformed(_ index: Int) -> Int {
        candidates.unclear()
        return index
    }

    private mutating func add(_ byte: UInt8) {
        if highSurrogate != nil {
            highSurrogate = nil
            capture.isValid = false
        }
        capture.add(byte)
    }

    private mutating func escape(_ byte: UInt8) {
        let plain: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain = byte
        case UInt8(ascii: "b"): plain = 0x08
        case UInt8(ascii: "f"): plain = 0x0c
        case UInt8(ascii: "n"): plain = 0x0a
        case UInt8(ascii: "r"): plain = 0x0d
        case UInt8(ascii: "t"): plain = 0x09
        case UInt8(ascii: "u"):
            (hexDigits, hexValue, state) = (0, 0, .hex)
            return
        default: return candidates.unclear()
        }
        if isCapturing { add(plain) }
        state = .string
    }

    private mutating func hex(_ byte: UInt8) {
        guard let digit = Hex.value(of: byte) else { return candidates.unclear() }
        hexValue = hexValue << 4 | UInt32(digit)
        hexDigits += 1
        guard hexDigits == 4 else { return }
        state = .string
        guard isCapturing else { return }
        let first = highSurrogate
        highSurrogate = nil
        var code = hexValue
        switch (first, code) {
        case (let high?, 0xdc00...0xdfff): code = 0x10000 + (high & 0x3ff) << 10 + code & 0x3ff
        case (_?, _): capture.isValid = false
        case (nil, _): break
        }
        if (0xd800...0xdbff).contains(code) {
            highSurrogate = code
        } else if let scalar = Unicode.Scalar(code) {
            for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { capture.add(unit) }
        } else {
            capture.isValid = false
        }
    }

    private mutating func endText() {
        if highSurrogate != nil {
            highSurrogate = nil
            capture.isValid = false
        }
        let isWhole = capture.isValid && !capture.isCut
        if isKey {
            if isCapturing {
                key = capture.isValid ? ModelName.key(capture.bytes, inForm: false) : .unreadable
                if key == .unreadable { candidates.unclear() }
            }
            state = .colon
        } else {
            if isCapturing { found(isWhole ? ModelName.read(capture.bytes).map(Value.text) : nil) }
            afterValue()
        }
        isCapturing = false
    }
}
