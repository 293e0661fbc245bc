/// Looks at how a decoded body begins, whatever its type says: readers that do not ask for the type go by that.
struct KindSniffer {
    /// What a body begins like.
    enum Kind {
        case json
        case form
        case multipart
        /// Like compressed data, of which nobody knows what is inside.
        case compressed
        /// Like none of these.
        case other

        /// Whether programs may find a model in it without decoding it.
        var isText: Bool {
            switch self {
            case .json, .form, .multipart: true
            case .compressed, .other: false
            }
        }
    }

    /// Bytes behind the leading blanks by which a kind is told.
    private static let maximumBytes = 256

    private var start: [UInt8] = []

    /// Whether more bytes would change nothing.
    private(set) var isFull = false

    mutating func absorb(_ bytes: Span<UInt8>) {
        guard !isFull else { return }
        for index in 0..<bytes.count where !isFull {
            let byte = bytes[index]
            if start.isEmpty, Self.isBlank(byte) { continue }
            start.append(byte)
            isFull = start.count == Self.maximumBytes
        }
    }

    /// Blanks in every encoding of Unicode, and byte order marks.
    private static func isBlank(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00, 0x09...0x0d, 0x20, 0xef, 0xbb, 0xbf, 0xfe, 0xff: true
        default: false
        }
    }

    /// What the body begins like, as far as it has been seen.
    var kind: Kind {
        guard let first = start.first else { return .other }
        switch first {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "/"): return .json
        case UInt8(ascii: "-") where start.starts(with: "--".utf8): return .multipart
        default: break
        }
        if Self.compressed.contains(where: { start.starts(with: $0) }) { return .compressed }
        return isForm ? .form : .other
    }

    /// The first bytes of gzip and zstd.
    private static let compressed: [[UInt8]] = [[0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd]]
    /// Formats whose first bytes are letters with a length behind, which may begin with an equals sign by chance.
    private static let containers: [[UInt8]] = ["RIFF", "RIFX", "FORM", "GIF87a", "GIF89a", "BM"].map {
        [UInt8]($0.utf8)
    }

    private var isForm: Bool {
        let key = start.prefix { (0x21..<0x7f).contains($0) && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "&") }
        guard let next = start.dropFirst(key.count).first, next == UInt8(ascii: "=") || next == UInt8(ascii: "&") else {
            return false
        }
        // By chance, unless a text follows.
        let isChance = key.isEmpty || Self.containers.contains { key.elementsEqual($0) }
        return !(isChance && start[key.count...].prefix(4).contains { $0 < 0x20 })
    }
}

/// A body of a type that carries no model: it has none, unless it begins like one that does.
struct OpaqueScanner: BodyScanner {
    private var sniffer = KindSniffer()
    private(set) var candidates = ModelCandidates()

    mutating func absorb(_ bytes: Span<UInt8>) { sniffer.absorb(bytes) }

    mutating func finish() {
        if sniffer.kind != .other { candidates.unclear() }
    }
}

/// A form, unless it begins like something else: programs send JSON by this type when nobody tells them another.
struct FormBodyScanner: BodyScanner {
    private var sniffer = KindSniffer()
    private var form = FormScanner()
    private(set) var candidates = ModelCandidates()

    mutating func absorb(_ bytes: Span<UInt8>) {
        sniffer.absorb(bytes)
        form.absorb(bytes)
        if form.candidates.isUnclear { candidates.unclear() }
    }

    mutating func finish() {
        form.finish()
        candidates = form.candidates
        switch sniffer.kind {
        case .form, .other: break
        case .json, .multipart, .compressed: candidates.unclear()
        }
    }
}
