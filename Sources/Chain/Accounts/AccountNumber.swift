package import Primitives

/// A number that a chain keeps for an account, as of a block that may yet be undone.
package struct AccountNumber: Hashable, Sendable {
    /// The number.
    package let value: UInt256
    /// The block that it was read at.
    package let block: ChainBlock

    /// Makes a number.
    package init(value: UInt256, block: ChainBlock) {
        self.value = value
        self.block = block
    }
}

/// Which number an account's next transaction gets, as far as enough endpoints agree.
package struct NextTransaction: Hashable, Sendable {
    /// The number, behind all transactions that are known.
    package let number: UInt64
    /// How many of the account's transactions are in blocks: a transaction with this number can be in the next one.
    package let mined: UInt64
    /// The block that this was read at.
    package let block: ChainBlock

    /// Makes a number; it is at least `mined`.
    package init(number: UInt64, mined: UInt64, block: ChainBlock) {
        self.number = number
        self.mined = mined
        self.block = block
    }

    /// How many transactions have to come first that are in no block yet.
    ///
    /// While one of them is missing, the next one waits, and what was signed for it stays valid for as long.
    package var gap: UInt64 { number - mined }
}

/// What a token's contract says about itself and one of its owners, as of one block.
package struct TokenStanding: Hashable, Sendable {
    /// What the owner has, in atomic units.
    package let balance: UInt256
    /// What the spender may move of it, in atomic units.
    package let allowance: UInt256
    /// The token's decimals.
    package let decimals: UInt256
    /// The block that all of it was read at.
    package let block: ChainBlock
}
