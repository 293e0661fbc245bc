package import Ethereum

/// A statement about the ledger that a wallet may sign besides payments: nothing else fits into it.
///
/// It is signed as a personal message, whose digest can never be that of a payment or a transaction.
package struct CheckpointText: Hashable, Sendable {
    /// What every such text begins with.
    package static let opening = "Purser ledger checkpoint 1\n"

    /// The message that is signed.
    package let message: PersonalMessage

    /// Takes a text; nil when it does not begin as a checkpoint does, byte for byte.
    package init?(_ text: String) {
        guard text.utf8.starts(with: Self.opening.utf8) else { return nil }
        message = PersonalMessage(text)
    }
}
