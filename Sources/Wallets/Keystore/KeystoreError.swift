package import Ethereum
package import SystemCrypto

/// Why a keystore could not be read, opened or made.
package enum KeystoreError: Error, Equatable, Sendable {
    /// The file is not JSON, or not a keystore at all.
    case notAKeystore
    /// A field is missing or has an impossible value.
    case damaged(field: String)
    /// The keystore is of a kind that is not read here; the text says which.
    case unsupported(String)
    /// The passphrase does not fit, or the encrypted part was altered: the MAC cannot tell the two apart.
    case wrongPassphrase
    /// The decrypted key belongs to another address than the file claims: the file was tampered with or mixed up.
    case addressMismatch(stated: Address, found: Address)
    /// The decrypted bytes are no private key.
    case invalidKey
    /// There is no safe memory for the key.
    case memory(SecretMemoryError)
    /// libcrypto failed.
    case failed
}

extension KeystoreError: CustomStringConvertible {
    /// A sentence for an operator.
    package var description: String {
        switch self {
        case .notAKeystore: "this is not a keystore (Web3 Secret Storage, version 3)"
        case .damaged(let field): "the keystore is damaged: `\(field)` is missing or has an impossible value"
        case .unsupported(let what): "the keystore is of a kind that is not supported: \(what)"
        case .wrongPassphrase: "the passphrase does not open this keystore (or its encrypted part was altered)"
        case .addressMismatch(let stated, let found):
            "the keystore says it holds \(stated), but its key belongs to \(found): do not use it"
        case .invalidKey: "the keystore opens, but what it holds is no private key"
        case .memory(let error): error.description
        case .failed: "the system's cryptographic library failed"
        }
    }
}
