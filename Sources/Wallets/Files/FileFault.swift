#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Why the contents of a file or folder may be somebody else's word.
package enum FileFault: Error, Equatable, Sendable {
    /// It belongs neither to this user nor to root.
    case foreignOwner(UInt32)
    /// Group or others can write to it; `mode` holds its permission bits.
    case writableByOthers(mode: UInt32)

    /// Judges an owner and a mode as `fstat` states them; nil where only this user and root can write.
    ///
    /// Who can read does not matter here.
    package init?(owner: UInt32, mode: UInt32) {
        if owner != geteuid(), owner != 0 {
            self = .foreignOwner(owner)
        } else if mode & 0o022 != 0 {
            self = .writableByOthers(mode: mode & 0o7777)
        } else {
            return nil
        }
    }

    /// A sentence about the file of this path, for an operator.
    package func description(of path: String) -> String {
        switch self {
        case .foreignOwner(let owner): "\(path) belongs to user \(owner), neither to this user nor to root"
        case .writableByOthers(let mode):
            "\(path) has mode 0\(String(mode, radix: 8)): others can write to it (run `chmod go-w \(path)`)"
        }
    }
}
