import NIOCore
package import Primitives

/// Everything of the data plane that agents share, and how it is divided.
final class SharedPots: Sendable {
    /// Who has had a request in the last minute.
    let agents: ActiveAgents
    /// The agents' connections; those of strangers have a part of their own.
    let connections: Pot
    /// Memory for replay copies of request bodies, in bytes.
    let replayMemory: Pot
    /// Replay copies on the disk, in bytes.
    let spool: Pot
    /// Connections to gateways that take only so many.
    let gatewayPlaces: GatewayPlaces
    /// Paid answers that are kept for repetitions of their requests, in bytes.
    let keptMemory: KeptMemory

    init(
        agents: ActiveAgents, connections: ConnectionLimits, replay: ReplayLimits, replayMemory: Int,
        keptAnswers: KeptAnswerLimits
    ) {
        self.agents = agents
        self.connections = Pot("connections", .count, total: connections.agents, agents: agents)
        self.replayMemory = Pot("replay-memory", .bytes, total: replayMemory, agents: agents)
        spool = Pot("spool", .bytes, total: replay.spoolTotal, agents: agents)
        gatewayPlaces = GatewayPlaces(agents: agents)
        keptMemory = KeptMemory(limits: keptAnswers, agents: agents)
    }

    /// All pots as they are now.
    func snapshots(at now: Int64) -> [PotSnapshot] {
        [connections, replayMemory, spool].map { $0.snapshot(at: now) } + [keptMemory.snapshot(at: now)]
            + gatewayPlaces.snapshots(at: now)
    }
}

extension ProxyServer {
    /// What agents share, and who holds how much of it.
    package var pots: [PotSnapshot] { services.pots.snapshots(at: NIODeadline.now().milliseconds) }
}
