package import NIOCore
import Primitives

/// Who uses what agents share, as an exchange and the things that it holds know it.
struct AgentStanding: Sendable {
    /// The agent, which is active while it has requests.
    let agent: ActiveAgent
    /// The progress of the connection and of the request that it has under way.
    let progress: HolderProgress
}

extension NIODeadline {
    /// The same on the clock of the pots.
    package var milliseconds: Int64 { Int64(clamping: uptimeNanoseconds / 1_000_000) }
}
