#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Why the lock of a state directory could not be taken.
package enum StateLockError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process holds it; its number where the file tells.
    case held(by: Int32?)
    /// The lock file could not be used.
    case unusable(String)

    /// One sentence for operators.
    package var description: String {
        switch self {
        case .held(let process?): "another daemon (process \(process)) already serves this state directory"
        case .held(nil): "another daemon already serves this state directory"
        case .unusable(let reason): "the lock file cannot be used: \(reason)"
        }
    }
}

/// The right to be the only daemon of a state directory, held as long as the object lives.
///
/// An advisory `flock` that the kernel drops with the process, so that a crash leaves no stale lock; the file stays.
/// It spares two daemons from fighting over one listener. Caps do not rest on it: they are decided in the database.
package final class StateLock: Sendable {
    private let descriptor: Int32

    /// Who only looks whether a daemon runs holds a shared lock for a moment: that is waited out, 20 times 10 ms.
    private static let attempts = 20
    private static let pause: UInt32 = 10_000

    /// Takes the lock on a file, usually `daemon.lock`, making it when it is missing, and writes this process's number.
    ///
    /// Blocks for 200 ms before it gives up.
    package init(path: String) throws(StateLockError) {
        // A link would have the number written over some other file.
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let descriptor = unsafe open(path, flags, LedgerFiles.fileMode)
        guard descriptor >= 0 else { throw .unusable(errno == ELOOP ? "\(path) is a link" : Self.lastError) }
        var attempt = 1
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            if errno == EWOULDBLOCK, attempt < Self.attempts {
                attempt += 1
                usleep(Self.pause)
                continue
            }
            let error: StateLockError =
                errno == EWOULDBLOCK ? .held(by: Self.holder(descriptor)) : .unusable(Self.lastError)
            close(descriptor)
            throw error
        }
        var line = Array("\(getpid())\n".utf8)
        guard ftruncate(descriptor, 0) == 0, unsafe pwrite(descriptor, &line, line.count, 0) == line.count else {
            let error = StateLockError.unusable(Self.lastError)
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    private static func holder(_ descriptor: Int32) -> Int32? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }

    private static var lastError: String { unsafe String(cString: strerror(errno)) }
}
