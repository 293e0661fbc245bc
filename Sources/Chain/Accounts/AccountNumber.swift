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
