/// One alternative of a matcher over a text.
package enum TextPattern: Sendable, Equatable {
    /// Exactly this text.
    case exact(String)
    /// Any name below this domain, not the domain itself: `*.example.com`.
    case below(String)
    /// A pattern with stars.
    case glob(Glob)

    func matches(_ text: String) -> Bool {
        switch self {
        case .exact(let expected): text == expected
        case .below(let domain): Self.isBelow(text, domain)
        case .glob(let glob): glob.matches(text)
        }
    }
}

extension TextPattern {
    /// Compares bytes: `hasSuffix` would take both apart into characters.
    private static func isBelow(_ text: String, _ domain: String) -> Bool {
        let count = domain.utf8.count
        guard text.utf8.count > count + 1 else { return false }
        let rest = text.utf8.suffix(count + 1)
        return rest.first == UInt8(ascii: ".") && rest.dropFirst().elementsEqual(domain.utf8)
    }
}

extension TextPattern: CustomStringConvertible {
    /// The alternative as the file has it.
    package var description: String {
        switch self {
        case .exact(let text): text
        case .below(let domain): "*.\(domain)"
        case .glob(let glob): glob.text
        }
    }
}
