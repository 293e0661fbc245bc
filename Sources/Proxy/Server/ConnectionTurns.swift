import NIOCore
import Primitives

/// The connections of one event loop whose next step waits until the loop has looked at its sockets.
///
/// A connection that has more to do with what it has read already takes one step a round. So a long pipeline, many pipelines,
/// or many connections of one agent do not keep others waiting. Not thread-safe: used on its loop only.
final class ConnectionTurns {
    /// After so long a round ends for agents, since sockets wait meanwhile.
    private static let roundTime = TimeAmount.microseconds(500)

    private var order = TurnOrder<AgentConnection>()
    private var begun = BegunRequests()
    private let bell: LoopBell

    init(bell: LoopBell) {
        self.bell = bell
        bell.onRing = { [weak self] in self?.takeRound() }
    }

    /// Has ``AgentConnection/takeTurn()`` called in a later round.
    func wait(_ connection: AgentConnection, of agent: Int?) {
        order.append(connection, of: agent)
        bell.ring()
    }

    /// Whether a request of an agent may begin without waiting for a turn; counts it if so.
    func mayBegin(agent: Int, at now: NIODeadline) -> Bool {
        begun.mayBegin(agent: agent, at: Int64(clamping: now.uptimeNanoseconds))
    }

    /// What was read of an agent's connection has been served since a time.
    func served(agent: Int, since start: NIODeadline) {
        let now = NIODeadline.now()
        begun.took((now - start).nanoseconds, agent: agent, until: Int64(clamping: now.uptimeNanoseconds))
    }

    private func takeRound() {
        // Those that come to wait meanwhile belong to the next round, and so do agents for which this one has no time left.
        // Strangers are few in it and only refused.
        let end = NIODeadline.now() + Self.roundTime
        var rest: [(AgentConnection, Int)] = []
        for connection in order.takeRound() {
            if let agent = connection.place.agent, NIODeadline.now() >= end {
                rest.append((connection, agent.number))
            } else {
                connection.takeTurn()
            }
        }
        order.putBack(rest)
        if !order.isEmpty { bell.ring() }
    }
}
