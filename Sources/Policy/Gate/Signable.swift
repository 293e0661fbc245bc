package import Primitives

/// What a wallet may sign: a digest of which this module knows what it means.
///
/// It makes one out of a payment that the gate has cleared, or of an approval that was checked, so nothing else ever
/// reaches a key.
package struct Signable: Sendable, Equatable {
    /// What is signed.
    package let digest: Bytes32

    init(digest: Bytes32) {
        self.digest = digest
    }
}
