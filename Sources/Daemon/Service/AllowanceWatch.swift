package import Chain
package import Ethereum
package import Payments
package import Primitives

/// The chain reader as the witness of allowances, with a memory, so that not every payment waits for a node.
package actor AllowanceWatch: AllowanceWitness {
    /// Allowances that are remembered.
    private static let limit = 256

    private struct Key: Hashable {
        let owner: Address
        let token: Address
        let spender: Address
    }

    private let reader: ChainReader
    private let clock: any WallClock
    private var known: [Key: AllowanceReading] = [:]
    /// Readings under way: whoever asks meanwhile waits for the same answer.
    private var underWay: [Key: Task<AllowanceReading, any Error>] = [:]

    /// Makes a witness of one network.
    package init(reader: ChainReader, clock: any WallClock) {
        self.reader = reader
        self.clock = clock
    }

    package func allowance(
        owner: Address, token: Address, spender: Address, maximumAge: Int64
    ) async throws -> AllowanceReading {
        let key = Key(owner: owner, token: token, spender: spender)
        if let reading = known[key], reading.age(at: clock.now()) <= maximumAge { return reading }
        if let task = underWay[key] { return try await task.value }
        let task = Task { [reader, clock] in
            let now = clock.now()
            let number = try await reader.allowance(owner: owner, token: token, spender: spender, at: now)
            return AllowanceReading(amount: number.value, block: number.block.number, readAt: now)
        }
        underWay[key] = task
        defer { underWay[key] = nil }
        let reading = try await task.value
        if known.count >= Self.limit, known[key] == nil {
            // The oldest goes: what is asked for often is young.
            if let oldest = known.min(by: { $0.value.readAt < $1.value.readAt })?.key { known[oldest] = nil }
        }
        known[key] = reading
        return reading
    }

    /// Forgets what is known of an owner: a seller has said that an allowance is too small, or one was just given.
    package func forget(owner: Address) {
        known = known.filter { $0.key.owner != owner }
    }

    package func permitNonce(owner: Address, token: Address) async throws -> UInt256 {
        try await reader.tokenNonce(owner: owner, token: token, at: clock.now()).value
    }

    package func nextTransactionNumber(of account: Address) async throws -> UInt64 {
        let next = try await reader.nextTransaction(of: account, at: clock.now())
        guard next.gap == 0 else { throw ApprovalFailure.gap(next) }
        return next.number
    }

    package func fee() async throws -> Transaction.Fee { try await reader.fee(at: clock.now()) }
}
