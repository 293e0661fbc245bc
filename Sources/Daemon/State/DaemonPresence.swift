#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Whether a daemon serves a state directory, seen from outside.
package enum DaemonPresence: Sendable, Equatable {
    /// Its lock is held; by this process, where the lock file tells.
    case running(process: Int32?)
    /// Nobody holds the lock.
    case stopped

    /// Looks at the lock without making the file.
    package static func look(at state: StateDirectory) -> DaemonPresence {
        let descriptor = unsafe open(state.lockFile, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .stopped }
        defer { close(descriptor) }
        // A shared lock held for a moment: two looks do not see each other, a daemon's exclusive lock is seen.
        guard flock(descriptor, LOCK_SH | LOCK_NB) != 0 else { return .stopped }
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return .running(process: nil) }
        let line = String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return .running(process: Int32(line))
    }
}
