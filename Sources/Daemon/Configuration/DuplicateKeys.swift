import Yams

/// Composes YAML whose mappings may have a key twice.
///
/// The composer stops at such a mapping, names the first of the two keys and nothing above it. So the first one gets a
/// mark in front and the text is composed again, until the tree stands and can be walked to the second.
struct DuplicateKeys {
    /// A character for private use, which no key that is known begins with.
    private static let mark: Unicode.Scalar = "\u{e000}"
    /// More repetitions than this are not told apart.
    private static let maximum: Int = 32

    /// The top of the tree; nil for an empty text.
    let root: Node?
    private let hasMarks: Bool

    /// Composes a text; throws what the composer does.
    init(composing text: String) throws {
        var text = text
        for count in 0..<Self.maximum {
            do {
                root = try Yams.compose(yaml: text)
                hasMarks = count > 0
                return
            } catch let error as YamlError {
                guard case .duplicatedKeysInMapping(_, let context) = error,
                    let marked = Self.marking(text, at: context.mark, with: count + 1)
                else { throw error }
                text = marked
            }
        }
        root = try Yams.compose(yaml: text)
        hasMarks = true
    }

    /// A key as the file has it.
    func plain(_ key: String) -> String {
        guard hasMarks else { return key }
        return String(String.UnicodeScalarView(key.unicodeScalars.drop { $0 == Self.mark }))
    }

    /// The text with marks in front of the plain or quoted key at a place; nil for any other key.
    private static func marking(_ text: String, at place: Mark, with count: Int) -> String? {
        var scalars = text.unicodeScalars
        guard var index = position(of: place, in: scalars), index < scalars.endIndex else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" {
            index = scalars.index(after: index)
        } else if "[{&*!|>".unicodeScalars.contains(scalars[index]) {
            return nil
        }
        scalars.insert(contentsOf: repeatElement(mark, count: count), at: index)
        return String(scalars)
    }

    private static func position(of place: Mark, in scalars: String.UnicodeScalarView) -> String.Index? {
        var index = scalars.startIndex
        var line = 1
        while line < place.line {
            guard index < scalars.endIndex else { return nil }
            let scalar = scalars[index]
            index = scalars.index(after: index)
            switch scalar {
            case "\r" where index < scalars.endIndex && scalars[index] == "\n": continue
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": line += 1
            default: continue
            }
        }
        return scalars.index(index, offsetBy: place.column - 1, limitedBy: scalars.endIndex)
    }
}
