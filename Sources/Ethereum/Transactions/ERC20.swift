package import Primitives

/// The calls of a token contract that are made here, and its one event.
///
/// Source: EIP-20; `nonces` from EIP-2612.
package enum ERC20 {
    /// The topic of `Transfer(address,address,uint256)`: who paid and who was paid are the next two topics.
    package static let transferTopic = Keccak256.hash("Transfer(address,address,uint256)")

    /// `approve(address,uint256)`: lets a spender move up to an amount.
    package static func approve(spender: Address, amount: UInt256) -> [UInt8] {
        approveSelector + spender.word.bytes + amount.bigEndianBytes.bytes
    }

    /// The first four bytes of every `approve`.
    package static let approveSelector: [UInt8] = [0x09, 0x5e, 0xa7, 0xb3]

    /// `allowance(address,address)`: what a spender may still move.
    package static func allowance(owner: Address, spender: Address) -> [UInt8] {
        [0xdd, 0x62, 0xed, 0x3e] + owner.word.bytes + spender.word.bytes
    }

    /// `balanceOf(address)`.
    package static func balance(of owner: Address) -> [UInt8] { [0x70, 0xa0, 0x82, 0x31] + owner.word.bytes }

    /// `decimals()`.
    package static let decimals: [UInt8] = [0x31, 0x3c, 0xe5, 0x67]

    /// `nonces(address)`: the number of the next permit (EIP-2612).
    package static func permitNonce(of owner: Address) -> [UInt8] { [0x7e, 0xce, 0xbe, 0x00] + owner.word.bytes }
}
