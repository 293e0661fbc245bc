package import Primitives

/// What a wallet may sign: a digest of which the gate knows what it means.
///
/// Only this module makes one, out of a payment that it has cleared, so nothing else ever reaches a key.
package struct Signable: Sendable, Equatable {
    /// What is signed.
    package let digest: Bytes32

    init(digest: Bytes32) {
        self.digest = digest
    }
}
