import Ledger
import NIOCore

/// What carries a tunnel and can end it.
protocol TunnelHolder: AnyObject {
    /// The first review has found that the tunnel's right holds: bytes may pass.
    func begin()
    /// The tunnel's right has ended: ends it, buffered bytes included.
    func end(for ending: TunnelEnding)
}

/// The place of one tunnel among those of its agent, taken before it is known whether there will be one: a handshake
/// that was paid for must not fail for want of a place.
///
/// It is given back when nobody holds the slot any more.
final class TunnelSlot {
    /// The most tunnels that one agent may have.
    static let limit = 256

    /// What entitles the agent to it.
    private(set) var right: TunnelRight
    /// What the books count for each message of the agent; nil where messages are not counted.
    var call: MeteredCall?
    private let tunnels: OpenTunnels
    /// Where it stands in lists, once it is open.
    private var entry: OpenTunnels.Entry?
    /// What carries it, once it is open.
    private weak var holder: (any TunnelHolder)?
    /// The newest change in the books when it was opened: older ones cannot say whether its right holds.
    var openedAt = UInt64.max
    /// Whether a review has seen it since it was opened.
    private var isReviewed = false
    private(set) var isEnded = false
    /// Called when an open tunnel is closed.
    private var closed: () -> Void = {}
    /// The right to a connection to a gateway that takes only so many, for as long as the tunnel is open.
    private var place: GatewayPlaces.Place?

    /// Takes a place; nil when the agent has as many tunnels as it may.
    init?(for right: TunnelRight, among tunnels: OpenTunnels) {
        guard tunnels.places.begin(right.agent, limit: Self.limit) else { return nil }
        self.right = right
        self.tunnels = tunnels
    }

    deinit {
        tunnels.places.end(right.agent)
        guard let entry else { return }
        tunnels.close(entry)
        closed()
    }

    /// Keeps the right to a connection to the gateway for as long as the tunnel is open.
    func hold(_ place: GatewayPlaces.Place?) { self.place = place }

    /// The tunnel is open from here on, as `entry` in lists; `address` is what was dialled, `closed` is called at its end.
    func open(
        as entry: OpenTunnels.Entry, holder: any TunnelHolder, address: SocketAddress?, closed: @escaping () -> Void
    ) {
        self.entry = entry
        self.holder = holder
        self.closed = closed
        right.address = address
        tunnels.open(entry, until: right.certificateEnd)
    }

    /// Ends the tunnel if its right has ended, and returns why; has it begin when the first review finds that the right holds.
    ///
    /// Books from before it was opened are passed over: they are no review.
    func review(due: OpenTunnels.Due, rules: ProxyRules, agents: AgentRegistry, at now: Int64) -> TunnelEnding? {
        guard !isEnded, agents.generation >= openedAt, due == .all || !isReviewed else { return nil }
        guard let ending = right.ending(under: rules, agents: agents, at: now) else {
            if let end = right.certificateEnd { tunnels.staysOpen(until: end) }
            if !isReviewed {
                isReviewed = true
                holder?.begin()
            }
            return nil
        }
        end(for: ending)
        return ending
    }

    /// Ends the tunnel, once; `quietly` leaves its connections to the caller.
    func end(for ending: TunnelEnding, quietly: Bool = false) {
        guard !isEnded else { return }
        isEnded = true
        tunnels.end(for: ending)
        if !quietly { holder?.end(for: ending) }
    }
}
