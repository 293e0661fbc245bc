import Primitives

/// Reads the `model` of a form in URL encoding that comes in pieces: a body, or the query of a target.
///
/// Pairs are parted by `&`, and by `;` for some readers: a `model` beside a `;` is unclear. So is one whose key or value has
/// an escape that is none, since lenient readers go on behind it.
struct FormScanner: BodyScanner {
    private enum Separator {
        case end
        case ampersand
        case semicolon
    }

    /// Escapes take three bytes for one.
    private static let maximumKeyBytes = 3 * ModelName.maximumKeyBytes

    private var key: [UInt8] = []
    private var value: [UInt8]?
    private var isCut = false
    private var before = Separator.end

    private(set) var candidates = ModelCandidates()

    mutating func absorb(_ bytes: Span<UInt8>) {
        for index in 0..<bytes.count where !candidates.isUnclear { step(bytes[index]) }
    }

    mutating func finish() { endPair(.end) }

    /// Reads a query, without its question mark.
    static func candidates(inQuery query: Substring) -> ModelCandidates {
        var scanner = FormScanner()
        scanner.absorb(Array(query.utf8).span)
        scanner.finish()
        return scanner.candidates
    }

    private mutating func step(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): endPair(.ampersand)
        case UInt8(ascii: ";"): endPair(.semicolon)
        case UInt8(ascii: "=") where value == nil: value = []
        default:
            if value == nil {
                if key.count < Self.maximumKeyBytes { key.append(byte) }
            } else if (value?.count ?? 0) < 3 * ModelName.maximumBytes {
                value?.append(byte)
            } else {
                isCut = true
            }
        }
    }

    private mutating func endPair(_ after: Separator) {
        let isPlain = before != .semicolon && after != .semicolon
        if !key.isEmpty { take(isPlain: isPlain) }
        key.removeAll(keepingCapacity: true)
        value = nil
        isCut = false
        before = after
    }

    private mutating func take(isPlain: Bool) {
        // A key that was cut may end within an escape.
        if key.count == Self.maximumKeyBytes, let escape = key.suffix(2).firstIndex(of: UInt8(ascii: "%")) {
            key.removeSubrange(escape...)
        }
        guard let decoded = PercentCoding.decode(key, plusIsBlank: true) else { return candidates.unclear() }
        let kind = ModelName.key(decoded, inForm: true)
        if kind == .other {
            // What is still escaped may be decoded once more, and a key that is no text may be read by bytes.
            if decoded.contains(UInt8(ascii: "%")) || String(validating: decoded, as: UTF8.self) == nil {
                candidates.unclear()
            }
            return
        }
        guard isPlain, !isCut, kind != .unreadable, let value,
            let text = PercentCoding.decode(value, plusIsBlank: true)
        else { return candidates.unclear() }
        let name = ModelName.read(text)
        if kind == .exact { candidates.name(name) } else { candidates.mayName(name) }
    }
}

/// Percent-encoding (RFC 3986 section 2.1).
enum PercentCoding {
    /// The bytes that are meant; nil where a percent sign begins no escape.
    static func decode(_ bytes: some Collection<UInt8>, plusIsBlank: Bool = false) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var rest = bytes.makeIterator()
        while let byte = rest.next() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.next().flatMap(Hex.value), let low = rest.next().flatMap(Hex.value) else {
                    return nil
                }
                decoded.append(high << 4 | low)
            } else {
                decoded.append(plusIsBlank && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return decoded
    }
}
