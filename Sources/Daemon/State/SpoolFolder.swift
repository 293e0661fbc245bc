#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The folder of long request bodies: only this user may write to it, and it is a folder and no link to one.
enum SpoolFolder {
    /// What the names of its files begin with, and how long they are: such a file is left where the daemon ended between
    /// making it and removing its name.
    private static let prefix = "replay-"
    private static let nameLength = 13

    /// Makes the folder where it is missing, checks it, and removes the files of an earlier daemon.
    static func prepare(_ path: String) throws(StateDirectoryError) {
        try FileSystem.makeFolders(path)
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw .system("opened", path: path, code: errno) }
        guard status.st_mode & S_IFMT != S_IFLNK else { throw .link(path) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notAFolder(path) }
        try FileSystem.check(status, path: path)
        for name in try FileSystem.entries(of: path) where name.hasPrefix(prefix) && name.utf8.count == nameLength {
            let file = "\(path)/\(name)"
            guard unsafe lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            guard unsafe unlink(file) == 0 || errno == ENOENT else {
                throw .system("removed", path: file, code: errno)
            }
        }
    }
}
