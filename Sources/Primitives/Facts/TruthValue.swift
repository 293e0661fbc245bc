/// Whether a condition holds, where it may be that nobody can say: Kleene's three-valued logic.
package enum TruthValue: String, Hashable, Sendable {
    /// It does not hold.
    case no
    /// It cannot be judged.
    case unknown
    /// It holds.
    case yes

    /// A condition that could be judged.
    package init(_ holds: Bool) {
        self = holds ? .yes : .no
    }

    /// Whether all conditions hold: no as soon as one does not, unknown where one cannot be judged, otherwise yes.
    package static func all(_ values: some Sequence<TruthValue>) -> TruthValue {
        var result = yes
        for value in values {
            if value == .no { return .no }
            if value == .unknown { result = .unknown }
        }
        return result
    }
}
