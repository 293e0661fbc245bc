/// Which block of a chain is taken for final.
package enum ChainFinality: Hashable, Sendable {
    /// The node's `finalized` block: it cannot be undone without destroying a third of the stake, where there is stake.
    case finalized
    /// The node's `safe` block: it is not expected to be undone.
    case safe
    /// The block that many below the newest one, 1 to 10000; for chains whose nodes know no tags.
    case confirmations(Int)

    /// Numbers of confirmations that make sense.
    package static let confirmationRange = 1...10_000

    /// Reads `finalized`, `safe` or a number from 1 to 10000 without sign or leading zeros; nil for anything else.
    package init?(_ text: some StringProtocol) {
        switch text {
        case "finalized": self = .finalized
        case "safe": self = .safe
        default:
            guard let count = Int(text), "\(count)" == text, Self.confirmationRange.contains(count) else { return nil }
            self = .confirmations(count)
        }
    }

    /// Whether the number of confirmations, where there is one, is in range.
    var isValid: Bool {
        if case .confirmations(let count) = self { Self.confirmationRange.contains(count) } else { true }
    }

    /// The block tag to ask a node for.
    var tag: String {
        switch self {
        case .finalized: "finalized"
        case .safe: "safe"
        case .confirmations: "latest"
        }
    }
}

extension ChainFinality: CustomStringConvertible {
    /// The text that ``init(_:)`` reads.
    package var description: String {
        if case .confirmations(let count) = self { "\(count)" } else { tag }
    }
}
