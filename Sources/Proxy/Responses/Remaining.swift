import Ledger
import Primitives

/// What an agent may still spend, for its eyes: in each window the least that any of its caps leaves.
///
/// Caps in dollars on the agent, its team and the house as a whole count; those on a part of their payments would say
/// nothing about the agent's next request.
struct Remaining {
    private var byWindow: [CapWindow: Dollars] = [:]

    init(_ usage: [CapUsage]) {
        for line in usage where line.cap.scope.facet == nil && line.cap.limit.measure == .dollars {
            let window = line.cap.limit.window
            guard window != .request, let left = Dollars(quantity: line.left) else { continue }
            byWindow[window] = min(left, byWindow[window] ?? left)
        }
    }

    /// The windows, narrowest first: `day=0.9997, lifetime=9.9997`.
    var text: String {
        byWindow.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }
}
