/// One property of something that others wrote, as far as it could be read.
///
/// Absence is something that was read; what could not be read is neither known nor absent.
package enum Fact<Value: Hashable & Sendable>: Hashable, Sendable {
    /// It was read.
    case known(Value)
    /// Everything was read, and there is no such thing.
    case absent
    /// It could not be read, or two places say different things.
    case unknown

    /// The value, where it is known.
    package var value: Value? { if case .known(let value) = self { value } else { nil } }

    /// Whether it could not be read.
    package var isUnknown: Bool { self == .unknown }
}

extension Fact {
    /// A value that was read, or its absence.
    package init(_ value: Value?) {
        self = value.map { .known($0) } ?? .absent
    }

    /// The word for which of the three it is: `known`, `none` or `unknown`.
    package var word: String {
        switch self {
        case .known: "known"
        case .absent: "none"
        case .unknown: "unknown"
        }
    }
}

extension Fact<String> {
    /// The value, or `unknown`; nil where there is none.
    ///
    /// A value may be that word too: ``word``, which goes with it for programs, tells them apart.
    package var shown: String? { isUnknown ? word : value }

    /// The fact as people read it: the value, `none` or `unknown`.
    ///
    /// A value that is itself one of these words, or that begins with a quote, is quoted, so that no text has two meanings.
    package var text: String {
        guard case .known(let value) = self else { return word }
        return value == "none" || value == "unknown" || value.hasPrefix("\"") ? "\"\(value)\"" : value
    }
}
