/// The place of one tunnel in an agent's ``TunnelCount``, taken before it is known whether there will be one: a handshake
/// that was paid for must not fail for want of a place.
///
/// It is given back when nobody holds the slot any more, unless a tunnel has taken it over.
final class TunnelSlot {
    private let count: TunnelCount
    private var purpose: Tunnel.Purpose
    private var isPassedOn = false

    /// Takes a place; nil when the agent has as many tunnels as it may.
    init?(of count: TunnelCount, agent: String, target: String) {
        guard count.begin(agent) else { return nil }
        self.count = count
        purpose = Tunnel.Purpose(agent: agent, target: target)
    }

    deinit {
        if !isPassedOn { count.end(purpose.agent) }
    }

    /// Keeps the right to a connection to the gateway for as long as the tunnel is open.
    func hold(_ place: GatewayPlaces.Place?) { purpose.place = place }

    /// Leaves the place to a tunnel, which gives it back when it is closed.
    func passOn() -> Tunnel.Purpose {
        isPassedOn = true
        return purpose
    }
}
