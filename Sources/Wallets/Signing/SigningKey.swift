package import Ethereum
package import Policy
import Primitives
package import SystemCrypto

/// A private key in locked memory that signs and never shows itself.
package final class SigningKey: Signer {
    package let address: Address
    let secret: SecretBytes
    private let context: Secp256k1Context

    /// Takes over a private key of 32 bytes.
    package init(secret: SecretBytes, context: Secp256k1Context) throws(SigningError) {
        do {
            self.address = try secret.withBytes { bytes throws(Secp256k1Error) in try context.address(ofKey: bytes) }
        } catch {
            throw error == .invalidKey ? .invalidKey : .failed
        }
        self.secret = secret
        self.context = context
    }

    /// Makes a new key from the system's private randomness.
    package static func generate(context: Secp256k1Context) throws(KeystoreError) -> SigningKey {
        do {
            return try SigningKey(secret: .random(count: 32), context: context)
        } catch let error as SecretMemoryError {
            throw .memory(error)
        } catch {
            // All but one in 2^127 random strings are keys, so this is a broken generator, not bad luck.
            throw .memory(.randomnessUnavailable)
        }
    }

    package func sign(_ statement: Signable) throws(SigningError) -> Signature {
        try sign(digest: statement.digest)
    }

    /// Signs a digest, then recovers the signature and compares the address before anything leaves.
    private func sign(digest: Bytes32) throws(SigningError) -> Signature {
        let signature: Signature
        do {
            signature = try secret.withBytes { bytes throws(Secp256k1Error) in
                try context.sign(digest: digest, key: bytes)
            }
        } catch {
            throw .failed
        }
        guard signature.isLowS, context.recover(digest: digest, signature: signature) == address else {
            throw .faulty
        }
        return signature
    }

    package func sign(checkpoint: CheckpointText) throws(SigningError) -> Signature {
        try sign(digest: checkpoint.message.digest)
    }
}
