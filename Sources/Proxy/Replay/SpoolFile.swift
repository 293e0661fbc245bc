import NIOCore
import Primitives
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An unlinked temporary file: it has no name, and it is gone when the last user lets go of it.
///
/// Every call blocks and belongs on a thread pool. Positions are given by the caller, so writes need no order.
final class SpoolFile: Sendable {
    /// The system refused; the number is `errno`.
    struct Failure: Error, Equatable {
        let code: Int32

        /// The file was given up.
        static let gone = Failure(code: EIO)
        /// The disk has no room, or would have less than stays free.
        static let full = Failure(code: ENOSPC)

        /// Whether the disk is full.
        var isFull: Bool { self == .full || code == EDQUOT }
    }

    private let folder: String
    private let freeDisk: Int
    private let opened = Mutex<Int32>(-1)
    /// What the file holds of the disk space of all, until it is gone.
    let holder: PotHolder
    private let pot: Pot

    /// Names the folder; the file is made by the first write, readable and writable by this user only.
    init(_ limits: ReplayLimits, _ holder: PotHolder, of pot: Pot) {
        folder = limits.folder
        freeDisk = limits.freeDisk
        self.holder = holder
        self.pot = pot
    }

    deinit {
        let descriptor = opened.withLock { $0 }
        if descriptor >= 0 { close(descriptor) }
        pot.remove(holder)
    }

    /// Throws where `count` more bytes would leave less of the disk free than has to stay free.
    private func checkRoom(_ descriptor: Int32, for count: Int) throws(Failure) {
        var status = statvfs()
        guard unsafe fstatvfs(descriptor, &status) == 0 else { throw Failure(code: errno) }
        let (free, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        guard overflow || free >= UInt64(freeDisk) + UInt64(count) else { throw .full }
    }

    private func descriptor() throws(Failure) -> Int32 {
        try opened.withLock { (descriptor) throws(Failure) in
            if descriptor >= 0 { return descriptor }
            var template = Array("\(folder)/replay-XXXXXX".utf8CString)
            descriptor = unsafe template.withUnsafeMutableBufferPointer { path in
                guard let base = path.baseAddress else { return -1 }
                let descriptor = unsafe mkstemp(base)
                if descriptor >= 0 {
                    unsafe unlink(base)
                    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
                }
                return descriptor
            }
            guard descriptor >= 0 else { throw Failure(code: errno) }
            return descriptor
        }
    }

    /// Writes all pieces, one behind the other from a position on.
    func write(_ pieces: BodyPieces, at position: Int) throws {
        let descriptor = try descriptor()
        try checkRoom(descriptor, for: pieces.byteCount)
        var position = position
        for piece in pieces.buffers {
            try unsafe piece.withUnsafeReadableBytes { bytes in
                try unsafe Self.write(bytes, to: descriptor, at: position)
            }
            position += piece.readableBytes
        }
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at position: Int
    ) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let count = unsafe pwrite(
                descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(position + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(code: errno) }
            done += count
        }
    }

    /// Reads exactly `count` bytes from a position.
    func read(_ count: Int, at position: Int) throws(Failure) -> [UInt8] {
        let descriptor = try descriptor()
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(descriptor, buffer.baseAddress?.advanced(by: done), count - done, off_t(position + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got > 0 else { throw Failure(code: got == 0 ? EIO : errno) }
            done += got
        }
        return bytes
    }
}
