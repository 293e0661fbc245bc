/// How many connections agents may have open.
package struct ConnectionLimits: Sendable, Equatable {
    /// Of all agents together, and of whoever has not said who it is; each event loop takes an equal share.
    package var total: Int
    /// Of one agent.
    package var perAgent: Int

    /// 16,384, half of which may be one agent's.
    package static let standard = ConnectionLimits(total: 16_384, perAgent: 8_192)

    /// Makes limits.
    package init(total: Int, perAgent: Int) {
        self.total = total
        self.perAgent = perAgent
    }

    /// What one of `loops` event loops may have.
    func share(of loops: Int) -> Int { max(1, (total + loops - 1) / loops) }
}
