package import Ethereum
package import Policy

/// Why nothing was signed.
package enum SigningError: Error, Equatable, Sendable {
    /// The bytes are no private key of secp256k1.
    case invalidKey
    /// The library failed.
    case failed
    /// The signature did not recover its own address: a fault in memory or in the library. It was thrown away.
    case faulty
}

/// Whatever can sign what the gate has cleared, and checkpoints of the ledger, for one address.
package protocol Signer: Sendable {
    /// The account that signatures recover to.
    var address: Address { get }

    /// Signs what the gate made; the same statement always gives the same bytes.
    func sign(_ statement: Signable) throws(SigningError) -> Signature

    /// Signs a checkpoint as a personal message; the same text always gives the same bytes.
    func sign(checkpoint: CheckpointText) throws(SigningError) -> Signature
}
