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
        case .below(let domain): text.utf8.count > domain.utf8.count + 1 && text.hasSuffix("." + domain)
        case .glob(let glob): glob.matches(text)
        }
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
