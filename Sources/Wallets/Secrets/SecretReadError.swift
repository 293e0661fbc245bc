package import SystemCrypto

/// Why a passphrase or a raw key could not be read; no case carries any of its bytes.
package enum SecretReadError: Error, Equatable, Sendable {
    /// The system refused; `code` is `errno`.
    case unreadable(source: String, code: Int32)
    /// Group or others may read the file; `mode` holds its permission bits.
    case readableByOthers(path: String, mode: UInt32)
    /// The file belongs neither to this user nor to root.
    case foreignOwner(path: String, owner: UInt32)
    /// The path names a folder or a device.
    case notAFile(path: String)
    /// There is nothing in it.
    case empty(source: String)
    /// It is longer than ``PassphraseSource/maximumBytes``.
    case tooLong(source: String)
    /// The process was started without credentials, or the name is not one of a credential.
    case noCredential(name: String)
    /// There is no terminal to ask at.
    case noTerminal
    /// The person at the terminal gave up.
    case cancelled
    /// The two entries were not the same.
    case confirmationDiffers
    /// The text is not 64 hex digits.
    case notAPrivateKey
    /// There is no safe memory for it.
    case memory(SecretMemoryError)
}

extension SecretReadError: CustomStringConvertible {
    /// A sentence for an operator.
    package var description: String {
        switch self {
        case .unreadable(let source, let code): "\(source) cannot be read: \(systemMessage(code))"
        case .readableByOthers(let path, let mode):
            "\(path) has mode 0\(String(mode, radix: 8)): others can read it (run `chmod 600 \(path)`)"
        case .foreignOwner(let path, let owner): "\(path) belongs to user \(owner), neither to this user nor to root"
        case .notAFile(let path): "\(path) is not a file"
        case .empty(let source): "\(source) is empty"
        case .tooLong(let source): "\(source) is longer than \(PassphraseSource.maximumBytes) bytes"
        case .noCredential(let name): "there is no systemd credential named \(name)"
        case .noTerminal: "there is no terminal to ask for the passphrase at"
        case .cancelled: "cancelled"
        case .confirmationDiffers: "the two passphrases differ"
        case .notAPrivateKey: "a private key is 64 hex digits, with or without 0x in front"
        case .memory(let error): error.description
        }
    }
}
