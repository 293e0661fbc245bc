import Wallets

/// Why a state directory cannot be used.
package enum StateDirectoryError: Error, Equatable, Sendable {
    /// There is no such folder or file.
    case missing(String)
    /// Something else has its name.
    case notAFolder(String)
    /// It is a link, where a folder of its own is needed.
    case link(String)
    /// It belongs neither to this user nor to root.
    case foreignOwner(String, owner: UInt32)
    /// Group or others can write to it.
    case writableByOthers(String, mode: UInt32)
    /// Group or others can read it, and it holds a secret.
    case readableByOthers(String, mode: UInt32)
    /// This user cannot write to it.
    case readOnly(String)
    /// A file that would be written exists.
    case exists(String)
    /// It holds something else than a demonstration's state, which is not cleared.
    case notADemonstration(String)
    /// A file is longer than it may be, or not text.
    case notText(String)
    /// The system refused; `code` is `errno`.
    case system(String, path: String, code: Int32)
}

extension StateDirectoryError: CustomStringConvertible {
    /// A sentence for an operator.
    package var description: String {
        switch self {
        case .missing(let path): "there is no \(path)"
        case .notAFolder(let path): "\(path) is not a folder"
        case .link(let path): "\(path) is a link: a folder is needed there (`spool`, `path` can name another one)"
        case .foreignOwner(let path, let owner): FileFault.foreignOwner(owner).description(of: path)
        case .writableByOthers(let path, let mode): FileFault.writableByOthers(mode: mode).description(of: path)
        case .readableByOthers(let path, let mode):
            "\(path) has mode 0\(String(mode, radix: 8)): others can read it (run `chmod go= \(path)`)"
        case .readOnly(let path):
            "\(path) cannot be written to, and reading the ledger needs room for its log: copy the folder, "
                + "`ledger.sqlite-wal` included, to where you can write, and name the copy with --state"
        case .exists(let path): "\(path) exists already"
        case .notADemonstration(let path):
            "\(path) was not made by `purser demo`, so it is left alone: name another folder"
        case .notText(let path): "\(path) is not a text file of at most 1 MiB"
        case .system(let verb, let path, let code): "\(path) cannot be \(verb): \(FileSystem.message(code))"
        }
    }
}
