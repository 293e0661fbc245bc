/// Why a wallet's file could not be read or written.
package enum WalletFileError: Error, Equatable, Sendable {
    /// The system refused to read; `code` is `errno`.
    case unreadable(path: String, code: Int32)
    /// Somebody else can write to the file.
    case untrusted(path: String, FileFault)
    /// The system refused to write; `code` is `errno`.
    case unwritable(path: String, code: Int32)
    /// There is a file already, and no wallet is ever overwritten.
    case exists(path: String)
    /// The file was read, but is no keystore that can be used.
    case keystore(path: String, KeystoreError)
}

extension WalletFileError: CustomStringConvertible {
    /// A sentence for an operator.
    package var description: String {
        switch self {
        case .unreadable(let path, let code): "\(path) cannot be read: \(systemMessage(code))"
        case .untrusted(let path, let fault): fault.description(of: path)
        case .unwritable(let path, let code): "\(path) cannot be written: \(systemMessage(code))"
        case .exists(let path): "\(path) exists already, and a wallet is never overwritten"
        case .keystore(let path, let error): "\(path): \(error)"
        }
    }
}
