import Ethereum
package import Ledger
package import Primitives

extension CheckpointStatement {
    /// What a wallet signs for the statement: its text as a personal message.
    package var digest: Bytes32 { PersonalMessage(text).digest }
}
