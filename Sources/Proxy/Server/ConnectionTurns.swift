/// The connections of one event loop whose next step waits until the loop has looked at its sockets.
///
/// A connection that has more to do with what it has read already takes one step a round. So a long pipeline, many pipelines,
/// or many connections of one agent do not keep others waiting. Not thread-safe: used on its loop only.
final class ConnectionTurns {
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
    func mayBegin(agent: Int, at now: Int64) -> Bool { begun.mayBegin(agent: agent, at: now) }

    private func takeRound() {
        // Those who come to wait meanwhile belong to the next round.
        for connection in order.takeRound() { connection.takeTurn() }
        if !order.isEmpty { bell.ring() }
    }
}
