import Primitives

/// What counts as the name of a model, and as the key that names one.
enum ModelName {
    /// The most characters of a name that is known: a longer one would have to be cut.
    static let maximumCharacters = 128
    /// Bytes of a name that are kept while it is read, escapes taken off.
    static let maximumBytes = 1024
    /// Bytes of a key that are kept while it is read: more than any spelling of `model` needs.
    static let maximumKeyBytes = 64

    /// How a key relates to `model`.
    enum Key {
        /// It is `model`.
        case exact
        /// Some readers take it for `model`: they ignore case, blanks around it, or what stands in brackets after it.
        case similar
        /// It cannot be told.
        case unreadable
        /// It is another one.
        case other
    }

    /// Which key the decoded bytes are.
    ///
    /// In a form, some readers trim keys, cut them at NUL, make arrays and objects of `model[]` and `model.name`, and give a
    /// meaning to signs in front (`!model`, `_model`). In JSON, some sellers take one of a list `models`, and careless
    /// programs give an object the members of `__proto__`.
    static func key(_ bytes: [UInt8], inForm: Bool) -> Key {
        if bytes.elementsEqual("model".utf8) { return .exact }
        guard inForm else {
            let word = bytes.prefix { $0 != 0 }
            if isModel(word) { return word.count == bytes.count ? .similar : .unreadable }
            let isSource = isModel(word.dropLast()) && word.last.map { $0 | 0x20 } == UInt8(ascii: "s")
            return isSource || bytes.elementsEqual("__proto__".utf8) ? .unreadable : .other
        }
        let trimmed = bytes.drop { !isASCIILetter($0) && !$0.isASCIIDigit }
        let word = trimmed.prefix { isASCIILetter($0) }
        guard isModel(word) else { return .other }
        switch trimmed.dropFirst(word.count).first {
        case nil where word.count == bytes.count: return .similar
        case nil: return .unreadable
        case let next? where next <= 0x20 || next >= 0x7f || ".[]:'\"%".utf8.contains(next): return .unreadable
        default: return .other
        }
    }

    private static func isASCIILetter(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isModel(_ word: some Collection<UInt8>) -> Bool {
        word.count == 5 && zip(word, "model".utf8).allSatisfy { $0 | 0x20 == $1 }
    }

    /// The name in decoded bytes; nil for one that readers could take differently.
    ///
    /// A name is 1 to 128 characters of UTF-8 without blanks at its ends. Beyond ASCII only letters, digits, marks of
    /// punctuation and symbols count that no normalisation changes.
    static func read(_ bytes: some Collection<UInt8>) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let scalars = text.unicodeScalars
        guard (1...maximumCharacters).contains(scalars.count), scalars.first != " ", scalars.last != " ",
            scalars.allSatisfy(isPlain)
        else { return nil }
        return text
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7f).contains(scalar.value) }
        let properties = scalar.properties
        guard !properties.changesWhenNFKCCaseFolded, !properties.isDefaultIgnorableCodePoint else { return false }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .connectorPunctuation, .dashPunctuation, .openPunctuation,
            .closePunctuation, .initialPunctuation, .finalPunctuation, .otherPunctuation, .mathSymbol,
            .currencySymbol, .modifierSymbol, .otherSymbol:
            return true
        default: return false
        }
    }
}
