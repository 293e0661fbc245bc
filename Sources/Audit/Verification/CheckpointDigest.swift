import Ethereum
package import Ledger
package import Primitives

extension CheckpointStatement {
    /// What a wallet signs for the statement: its text as a personal message.
    ///
    /// Source: EIP-191, version 0x45.
    package var digest: Bytes32 {
        let message = Array(text.utf8)
        return Keccak256.hash(Array("\u{19}Ethereum Signed Message:\n\(message.count)".utf8) + message)
    }
}
