/// A pattern in which `*` stands for any characters within a segment and `**` for any characters at all.
///
/// It runs over the text once with a set of places in the pattern, so no text costs more than its length times the
/// pattern's. Upper and lower case are different, and nothing is decoded.
package struct Glob: Sendable, Equatable {
    /// The longest pattern, in bytes.
    package static let maximumLength = 256

    /// The pattern as it was written.
    package let text: String
    private let steps: [Step]

    private enum Step: Equatable {
        case byte(UInt8)
        case anything(crossing: Bool)
    }

    /// Reads a pattern; nil when it is empty or too long.
    ///
    /// `separator` ends segments; nil where a text has none, and then both stars mean the same.
    package init?(_ text: String, separator: UInt8? = UInt8(ascii: "/")) {
        guard (1...Self.maximumLength).contains(text.utf8.count) else { return nil }
        var steps: [Step] = []
        for byte in text.utf8 {
            guard byte == UInt8(ascii: "*") else {
                steps.append(.byte(byte))
                continue
            }
            if case .anything = steps.last {
                steps[steps.count - 1] = .anything(crossing: true)
            } else {
                steps.append(.anything(crossing: separator == nil))
            }
        }
        self.text = text
        self.steps = steps
    }

    /// Whether the whole text fits.
    package func matches(_ text: String) -> Bool {
        // `places[n]` says that the first n steps fit what was read so far.
        var places = [Bool](repeating: false, count: steps.count + 1)
        places[0] = true
        pass(&places)
        for byte in text.utf8 {
            var next = [Bool](repeating: false, count: steps.count + 1)
            for (index, step) in steps.enumerated() where places[index] {
                switch step {
                case .byte(let expected): if byte == expected { next[index + 1] = true }
                case .anything(let crossing): if crossing || byte != UInt8(ascii: "/") { next[index] = true }
                }
            }
            pass(&next)
            places = next
        }
        return places[steps.count]
    }

    /// A star may stand for nothing.
    private func pass(_ places: inout [Bool]) {
        for (index, step) in steps.enumerated() where places[index] {
            if case .anything = step { places[index + 1] = true }
        }
    }
}
