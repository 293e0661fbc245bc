/// A pattern in which `*` stands for any characters within a segment and `**` for any characters at all.
///
/// What stands before the first star and after the last one is compared first; the rest runs over the text once with the set
/// of its places in the words of one machine integer or four, so no text costs more than a few operations a byte, whatever
/// the pattern, and nothing is allocated. Upper and lower case are different, and nothing is decoded.
package struct Glob: Sendable, Equatable {
    /// The longest pattern, in bytes.
    package static let maximumLength = 256

    /// The pattern as it was written.
    package let text: String
    /// What stands before the first star; all of the pattern where it has none.
    private let prefix: [UInt8]
    /// What stands after the last star.
    private let suffix: [UInt8]
    /// From the first star to the last one; nil where the pattern has none.
    private let middle: Middle?

    /// Reads a pattern; nil when it is empty or too long.
    ///
    /// `separator` ends segments; nil where a text has none, and then both stars mean the same.
    package init?(_ text: String, separator: UInt8? = UInt8(ascii: "/")) {
        let bytes = Array(text.utf8)
        guard (1...Self.maximumLength).contains(bytes.count) else { return nil }
        self.text = text
        let star = UInt8(ascii: "*")
        guard let first = bytes.firstIndex(of: star), let last = bytes.lastIndex(of: star) else {
            (prefix, suffix, middle) = (bytes, [], nil)
            return
        }
        prefix = Array(bytes[..<first])
        suffix = Array(bytes[(last + 1)...])
        middle = Middle(bytes[first...last], separator: separator)
    }

    /// Whether the whole text fits.
    package func matches(_ text: String) -> Bool {
        let bytes = text.utf8.span
        let isLongEnough = bytes.count >= prefix.count + suffix.count
        guard isLongEnough, Self.has(prefix.span, at: 0, in: bytes) else { return false }
        guard let middle else { return bytes.count == prefix.count }
        let end = bytes.count - suffix.count
        return Self.has(suffix.span, at: end, in: bytes) && middle.matches(bytes.extracting(prefix.count..<end))
    }

    private static func has(_ part: borrowing Span<UInt8>, at start: Int, in text: borrowing Span<UInt8>) -> Bool {
        for index in part.indices where part[index] != text[start + index] { return false }
        return true
    }
}

extension Glob {
    /// The part of a pattern from its first star to its last one, as an automaton: place n says that the first n steps fit
    /// what was read so far, and the last place is the last star.
    private struct Middle: Equatable {
        /// What each place does with a byte, by the byte's class: bytes that the pattern does not have are one class.
        private let classes: [UInt8]
        /// By class, the places at which the byte is the next one.
        private let next: [Places]
        /// Places that are stars, and those of them that do not end at a separator.
        private let stars: Places
        private let crossing: Places
        private let separator: UInt8
        private let last: Places
        private let isNarrow: Bool
        /// Whether anything fits, once the last place is reached.
        private let endsOpen: Bool

        /// `pattern` begins and ends with a star.
        init(_ pattern: ArraySlice<UInt8>, separator: UInt8?) {
            let star = UInt8(ascii: "*")
            var classes = [UInt8](repeating: 0, count: 256)
            var next = [Places()]
            var stars = Places()
            var crossing = Places()
            var count = 0
            var isInStar = false
            for byte in pattern {
                guard byte == star else {
                    if classes[Int(byte)] == 0 {
                        classes[Int(byte)] = UInt8(next.count)
                        next.append(Places())
                    }
                    next[Int(classes[Int(byte)])].insert(count)
                    count += 1
                    isInStar = false
                    continue
                }
                if isInStar {
                    crossing.insert(count - 1)
                } else {
                    stars.insert(count)
                    if separator == nil { crossing.insert(count) }
                    count += 1
                }
                isInStar = true
            }
            var last = Places()
            last.insert(count - 1)
            self.classes = classes
            self.next = next
            self.stars = stars
            self.crossing = crossing
            self.separator = separator ?? 0
            self.last = last
            isNarrow = count <= 64
            endsOpen = crossing.meets(last)
        }

        func matches(_ text: borrowing Span<UInt8>) -> Bool {
            isNarrow ? run(UInt64.self, over: text) : run(Places.self, over: text)
        }

        /// A star may stand for nothing, so its place is also the next one; two stars never follow each other.
        private func run<Set: PlaceSet>(_: Set.Type, over text: borrowing Span<UInt8>) -> Bool {
            let (stars, crossing, last) = (Set(stars), Set(crossing), Set(last))
            var places = Set(Places(first: true)).closed(over: stars)
            for index in text.indices {
                if endsOpen, places.meets(last) { return true }
                let byte = text[index]
                let staying = byte == separator ? crossing : stars
                let passing = places.intersection(Set(next[Int(classes[Int(byte)])]))
                places = places.intersection(staying).union(passing.shifted()).closed(over: stars)
                if places.isNone { return false }
            }
            return places.meets(last)
        }
    }

    /// A set of places in a pattern.
    fileprivate struct Places: Equatable, PlaceSet {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

        init() {}
        init(first: Bool) { words.0 = first ? 1 : 0 }
        init(_ places: Places) { self = places }

        mutating func insert(_ place: Int) {
            let bit = UInt64(1) << UInt64(place % 64)
            switch place / 64 {
            case 0: words.0 |= bit
            case 1: words.1 |= bit
            case 2: words.2 |= bit
            default: words.3 |= bit
            }
        }

        func union(_ other: Places) -> Places { combined(other, |) }
        func intersection(_ other: Places) -> Places { combined(other, &) }

        private func combined(_ other: Places, _ operation: (UInt64, UInt64) -> UInt64) -> Places {
            var result = self
            result.words = (
                operation(words.0, other.words.0), operation(words.1, other.words.1),
                operation(words.2, other.words.2), operation(words.3, other.words.3)
            )
            return result
        }

        func shifted() -> Places {
            var result = self
            result.words = (
                words.0 << 1, words.1 << 1 | words.0 >> 63, words.2 << 1 | words.1 >> 63,
                words.3 << 1 | words.2 >> 63
            )
            return result
        }

        var isNone: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

        static func == (left: Places, right: Places) -> Bool { left.words == right.words }
    }
}

/// What an automaton needs of a set of its places.
private protocol PlaceSet {
    init(_ places: Glob.Places)
    func union(_ other: Self) -> Self
    func intersection(_ other: Self) -> Self
    /// Each place moved to the one after it.
    func shifted() -> Self
    var isNone: Bool { get }
}

extension PlaceSet {
    func meets(_ other: Self) -> Bool { !intersection(other).isNone }
    func closed(over stars: Self) -> Self { union(intersection(stars).shifted()) }
}

extension UInt64: PlaceSet {
    fileprivate init(_ places: Glob.Places) { self = places.words.0 }
    fileprivate func union(_ other: UInt64) -> UInt64 { self | other }
    fileprivate func intersection(_ other: UInt64) -> UInt64 { self & other }
    fileprivate func shifted() -> UInt64 { self << 1 }
    fileprivate var isNone: Bool { self == 0 }
}
