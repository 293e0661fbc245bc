package import Ethereum
package import Primitives

/// What a spender may move of an owner's tokens, and how old that knowledge is.
package struct AllowanceReading: Sendable, Hashable {
    /// Atomic units.
    package let amount: UInt256
    /// The block that it was read at; it need not be final.
    package let block: UInt64
    /// When it was read, by the local clock.
    package let readAt: Timestamp

    /// Makes a reading.
    package init(amount: UInt256, block: UInt64, readAt: Timestamp) {
        self.amount = amount
        self.block = block
        self.readAt = readAt
    }

    /// How old it is, in seconds; 0 when the clock went back.
    package func age(at now: Timestamp) -> Int64 { max(0, now.seconds - readAt.seconds) }
}

/// Whoever can say how an account stands on a network right now: asked before a payment through Permit2 is signed.
///
/// Nothing of it is proof: blocks may be undone, and what was signed meanwhile is not counted. It saves a seller's refusal
/// and never frees money.
package protocol AllowanceWitness: Sendable {
    /// What a spender may move of an owner's tokens, from memory when that is at most so many seconds old.
    func allowance(
        owner: Address, token: Address, spender: Address, maximumAge: Int64
    ) async throws -> AllowanceReading

    /// Forgets what is remembered of an owner: a seller has said that an allowance is too small.
    func forget(owner: Address) async

    /// The number that the owner's next permit of a token has to carry (EIP-2612); read anew each time.
    func permitNonce(owner: Address, token: Address) async throws -> UInt256

    /// The number of an account's next transaction; read anew each time.
    ///
    /// Throws while transactions of the account are on their way: what is signed behind them would wait for them, and stay
    /// valid for as long.
    func nextTransactionNumber(of account: Address) async throws -> UInt64

    /// What the network asks for gas now.
    func fee() async throws -> Transaction.Fee
}
