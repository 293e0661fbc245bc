/// The place of one tunnel among those of its agent, taken before it is known whether there will be one: a handshake
/// that was paid for must not fail for want of a place.
///
/// It is given back when nobody holds the slot any more.
final class TunnelSlot {
    /// The most tunnels that one agent may have.
    static let limit = 256

    private let count: CountByAgent
    /// Who has it, and where it leads: for the log.
    let agent: String
    let target: String
    /// The right to a connection to a gateway that takes only so many, for as long as the tunnel is open.
    private var place: GatewayPlaces.Place?

    /// Takes a place; nil when the agent has as many tunnels as it may.
    init?(of count: CountByAgent, agent: String, target: String) {
        guard count.begin(agent, limit: Self.limit) else { return nil }
        self.count = count
        self.agent = agent
        self.target = target
    }

    deinit { count.end(agent) }

    /// Keeps the right to a connection to the gateway for as long as the tunnel is open.
    func hold(_ place: GatewayPlaces.Place?) { self.place = place }
}
