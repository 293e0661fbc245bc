import NIOCore
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
    }

    private let folder: String
    private let opened = Mutex<Int32>(-1)

    /// Names the folder; the file is made by the first write, readable and writable by this user only.
    init(folder: String) {
        self.folder = folder
    }

    deinit {
        let descriptor = opened.withLock { $0 }
        if descriptor >= 0 { close(descriptor) }
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
