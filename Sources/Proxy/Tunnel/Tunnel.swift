import Ledger
import Logging
import NIOCore
import Transport

/// Two connections whose bytes go to each other, until both are done or the right to it has ended.
///
/// The bytes are not read, but for the messages of an agent that have to be counted. Back-pressure and half-closes pass
/// through; memory is bounded by the channels' own watermarks. All state belongs to the event loop, which both connections
/// share.
final class Tunnel {
    private let shared: ProxyLoop
    /// Its place among the agent's tunnels, while it is open.
    private var slot: TunnelSlot?
    private let since = NIODeadline.now()
    private let agentEnd: TunnelEnd
    private let upstreamEnd: TunnelEnd
    private var openEnds = 2
    private(set) var deadline: NIODeadline?

    /// Ties two ends together, lists the tunnel, and begins to pass bytes once its right is known to hold.
    ///
    /// Both channels must not have read anything yet that is not handed over.
    static func open(_ slot: TunnelSlot, agent: TunnelEnd, upstream: TunnelEnd, shared: ProxyLoop) {
        let tunnel = Tunnel(slot, agent: agent, upstream: upstream, shared: shared)
        shared.tunnels[ObjectIdentifier(tunnel)] = tunnel
        shared.deadlines.add(tunnel)
        tunnel.wasUsed()
        shared.open(slot, as: tunnel, address: upstream.remoteAddress)
    }

    private init(_ slot: TunnelSlot, agent: TunnelEnd, upstream: TunnelEnd, shared: ProxyLoop) {
        self.shared = shared
        self.slot = slot
        agentEnd = agent
        upstreamEnd = upstream
        agent.peer = upstream
        upstream.peer = agent
        agent.tunnel = self
        upstream.tunnel = self
        if let call = slot.call { agent.messages = MessageMeter(call, end: agent, shared: shared) }
    }

    /// Whether the right to it has ended: no byte passes any more.
    var isEnded: Bool { slot?.isEnded ?? true }

    /// Takes note of a connection that closed before there was a tunnel.
    private func noteClosed() {
        for end in [agentEnd, upstreamEnd] where !end.isActive { end.ended() }
    }

    func wasUsed() { deadline = .now() + shared.services.timeouts.tunnel }

    /// Bytes of the gateway are on their way to the agent.
    func willPassDown(_ bytes: ByteBuffer, from end: TunnelEnd) {
        if end === upstreamEnd { agentEnd.messages?.passesDown(bytes) }
    }

    /// One of the two connections is closed.
    func endDidClose() {
        openEnds -= 1
        guard openEnds == 0 else { return }
        deadline = nil
        shared.deadlines.remove(self)
        shared.tunnels[ObjectIdentifier(self)] = nil
        guard let slot else { return }
        self.slot = nil
        let time = NIODeadline.now() - since
        shared.services.logger.info(
            "tunnel closed",
            metadata: [
                "agent": "\(slot.right.agent)", "to": "\(slot.right.target)", "sent": "\(agentEnd.received)",
                "received": "\(upstreamEnd.received)", "seconds": "\(time.nanoseconds / 1_000_000_000)",
            ])
    }

    /// Closes both connections.
    func cutOff() {
        agentEnd.cutOff()
        upstreamEnd.cutOff()
        noteClosed()
    }

    /// Ends it since a message of the agent was not counted; `reason` is what the agent is told, where it can be.
    func refuseMessage(_ ending: TunnelEnding, reason: String) {
        guard let slot, !slot.isEnded else { return }
        let farewell = agentEnd.messages?.farewell(reason: reason)
        slot.end(for: ending, quietly: farewell != nil)
        shared.log(ending, of: slot.right)
        guard let farewell else { return }
        upstreamEnd.peer = nil
        upstreamEnd.reset()
        deadline = .now() + shared.services.timeouts.linger
        agentEnd.takeLeave(farewell)
    }
}

extension Tunnel: TunnelHolder {
    func begin() {
        agentEnd.passEarly()
        upstreamEnd.passEarly()
        guard !isEnded else { return }
        agentEnd.resume()
        upstreamEnd.resume()
        noteClosed()
    }

    func end(for ending: TunnelEnding) {
        // What waits on one side does not go out since the other one has closed.
        agentEnd.peer = nil
        upstreamEnd.peer = nil
        agentEnd.reset()
        upstreamEnd.reset()
        noteClosed()
    }
}

extension Tunnel: DeadlineBound {
    /// Nothing has passed for a long time: both peers may be gone without a word.
    func deadlinePassed() { cutOff() }
}
