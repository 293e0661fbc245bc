/// The connections of one event loop whose next step waits until the loop has looked at its sockets.
///
/// A connection that has more to do with what it has read already takes one step a round, so that neither a long pipeline
/// nor many of them keep others waiting. Not thread-safe: used on its loop only.
final class ConnectionTurns {
    private var order = TurnOrder<AgentConnection>()
    private let bell: LoopBell

    init(bell: LoopBell) {
        self.bell = bell
        bell.onRing = { [weak self] in self?.takeRound() }
    }

    /// Has ``AgentConnection/takeTurn()`` called in a later round.
    func wait(_ connection: AgentConnection, isAgent: Bool) {
        order.append(connection, isAgent: isAgent)
        bell.ring()
    }

    private func takeRound() {
        // Those who come to wait meanwhile belong to the next round.
        for connection in order.takeRound() { connection.takeTurn() }
        if !order.isEmpty { bell.ring() }
    }
}
