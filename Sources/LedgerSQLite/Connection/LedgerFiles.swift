import Ledger

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The files of a ledger and who may read them: nobody but their owner.
///
/// Rows hold signatures of payments that may still be live, so the files are as private as keys.
enum LedgerFiles {
    /// Owner reads and writes.
    static let fileMode: mode_t = 0o600
    /// Owner only.
    static let folderMode: mode_t = 0o700

    /// Makes the folder (with its parents) and the database file where they are missing, and takes everybody else's
    /// rights from the file, its log and its index; an existing folder is left as it is.
    ///
    /// SQLite gives the log and the index the mode of the database file.
    static func prepare(path: String) throws(LedgerError) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]))
        }
        // The file is opened here only to make it: closing a descriptor of a database that this process has open already
        // would drop the POSIX locks that SQLite holds on it.
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, fileMode)
        if descriptor >= 0 {
            close(descriptor)
        } else if errno != EEXIST {
            throw failure("made", path: path)
        }
        for suffix in ["", "-wal", "-shm"] {
            guard unsafe chmod(path + suffix, fileMode) == 0 || errno == ENOENT else {
                throw failure("made private", path: path + suffix)
            }
        }
    }

    private static func makeFolder(_ path: String) throws(LedgerError) {
        if unsafe access(path, F_OK) == 0 { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]))
        }
        guard unsafe mkdir(path, folderMode) == 0 || errno == EEXIST else { throw failure("made", path: path) }
    }

    /// The error for a system call that failed just now.
    static func failure(_ verb: String, path: String) -> LedgerError {
        .storage("\(path) cannot be \(verb): \(unsafe String(cString: strerror(errno)))")
    }
}
