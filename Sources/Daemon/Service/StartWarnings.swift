#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What an operator is warned of at the start: nothing of it stops the daemon, and each weakens what it promises.
enum StartWarnings {
    /// The warnings for a daemon that runs as `user` on a state directory.
    static func all(state: StateDirectory, user: UInt32 = geteuid()) -> [String] {
        asRoot(user) + foldersAbove(state.root, user: user)
    }

    private static func asRoot(_ user: UInt32) -> [String] {
        guard user == 0 else { return [] }
        return [
            "the daemon runs as root: a mistake in it would give away the machine, and it needs no right of root's; run it "
                + "as a user of its own, and let systemd open ports below 1024"
        ]
    }

    /// Folders above the state directory in which somebody else can put another folder in its place.
    ///
    /// That is so where the folder belongs to a user other than this one and root, or where everybody can write to it and
    /// its sticky bit, which leaves entries to their owners, is not set.
    private static func foldersAbove(_ path: String, user: UInt32) -> [String] {
        guard let resolved = unsafe realpath(path, nil) else { return [] }
        defer { unsafe free(resolved) }
        var folder = unsafe String(cString: resolved)
        var warnings: [String] = []
        while folder != "/", let slash = folder.lastIndex(of: "/") {
            folder = slash == folder.startIndex ? "/" : String(folder[..<slash])
            var status = stat()
            guard unsafe stat(folder, &status) == 0 else { continue }
            if status.st_uid != user, status.st_uid != 0 {
                warnings.append(
                    "the state directory is below \(folder), which belongs to user \(status.st_uid): that user can put "
                        + "another state directory in its place")
            } else if status.st_mode & S_IWOTH != 0, status.st_mode & S_ISVTX == 0 {
                warnings.append(
                    "the state directory is below \(folder), to which everybody can write (mode "
                        + "0\(String(UInt32(status.st_mode) & 0o7777, radix: 8))): others can put another state directory "
                        + "in its place; run `chmod o-w \(folder)` or set the sticky bit with `chmod +t \(folder)`")
            }
        }
        return warnings
    }
}
