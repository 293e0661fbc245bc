/// How many of a chain's configured endpoints have to give the same answer before it is believed.
///
/// The count is always taken of those that are configured, never of those that answer: an endpoint that is down makes no
/// other one count for more. Under both rules one answer that contradicts the others means that nothing is concluded.
package enum ChainAgreement: String, Sendable, Hashable, CaseIterable {
    /// Every endpoint.
    case all
    /// More than half of the endpoints.
    case majority

    /// The number of endpoints, out of `count` configured ones, that have to say the same.
    package func needed(of count: Int) -> Int {
        switch self {
        case .all: count
        case .majority: count / 2 + 1
        }
    }

    /// The number of endpoints that may lie together without freeing money, whatever the others do meanwhile.
    package func liars(of count: Int) -> Int { needed(of: count) - 1 }

    /// The number of endpoints that may be down while payments are still proven.
    package func down(of count: Int) -> Int { count - needed(of: count) }
}
