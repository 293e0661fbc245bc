/// How many connections agents may have open.
package struct ConnectionLimits: Sendable, Equatable {
    /// Of all agents together, and of whoever has not said who it is.
    package var total: Int
    /// Of one agent, whatever its share.
    package var perAgent: Int

    /// 16,384, half of which may be one agent's.
    package static let standard = ConnectionLimits(total: 16_384, perAgent: 8_192)

    /// Makes limits.
    package init(total: Int, perAgent: Int) {
        self.total = total
        self.perAgent = perAgent
    }

    /// The part of connections without a token: a quarter, and one at least.
    package var strangers: Int { max(1, total / 4) }

    /// The part that the agents share.
    package var agents: Int { max(1, total - strangers) }

    /// How many connections without a token one of `loops` event loops may have.
    func strangers(of loops: Int) -> Int { max(1, (strangers + loops - 1) / loops) }
}
