import Ethereum
package import Primitives
package import X402

/// What a wallet may sign: a digest of which this module knows what it means.
///
/// It makes one out of a payment that the gate has cleared, of an approval that was checked, or of a statement that nothing
/// but its own check can make, so nothing else ever reaches a key.
package struct Signable: Sendable, Equatable {
    /// What is signed.
    package let digest: Bytes32

    init(digest: Bytes32) {
        self.digest = digest
    }

    /// A statement that signs in at the origin that asked for it.
    package init(_ statement: SignInStatement) {
        self.init(digest: statement.message.digest)
    }
}
