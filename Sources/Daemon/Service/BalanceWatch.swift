package import Chain
package import Ethereum
package import Payments
package import Primitives

/// The chain reader as the witness of balances; who asks while a reading is under way waits for that one.
package actor BalanceWatch: BalanceWitness {
    private struct Key: Hashable {
        let owner: Address
        let token: Address
    }

    private let reader: ChainReader
    private let clock: any WallClock
    private var underWay: [Key: Task<BalanceReading, any Error>] = [:]

    /// Makes a witness of one network.
    package init(reader: ChainReader, clock: any WallClock) {
        self.reader = reader
        self.clock = clock
    }

    package func balance(owner: Address, token: Address) async throws -> BalanceReading {
        let key = Key(owner: owner, token: token)
        if let task = underWay[key] { return try await task.value }
        let task = Task { [reader, clock] in
            let number = try await reader.tokenBalance(owner: owner, token: token, at: clock.now())
            return BalanceReading(amount: number.value, block: number.block.number)
        }
        underWay[key] = task
        defer { underWay[key] = nil }
        return try await task.value
    }
}
