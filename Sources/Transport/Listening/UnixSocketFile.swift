#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The file of a Unix socket that this process has bound, and does not listen at yet.
package struct UnixSocketFile: Sendable {
    /// The bound socket; whoever listens at it owns it.
    package let descriptor: Int32
    private let path: String
    private let identity: Identity

    private struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64

        init(_ status: stat) {
            device = UInt64(status.st_dev)
            inode = UInt64(status.st_ino)
        }
    }

    /// Binds a file with these permission bits; one that nobody listens at any more, as a crash leaves it, is replaced.
    ///
    /// Nobody can connect before the socket listens, so nobody ever meets other bits than these.
    package init(path: String, mode: UInt32) throws(ListenFailure) {
        func failure(_ cause: ListenFailure.Cause) -> ListenFailure {
            ListenFailure(.socket(path: path, mode: mode), cause)
        }
        guard let address = Self.address(path) else { throw failure(.tooLong) }
        if let cause = Self.clear(path, address) { throw failure(cause) }
        let descriptor = Self.open()
        guard descriptor >= 0 else { throw failure(.system(errno)) }
        guard unsafe Self.call(bind, descriptor, address) == 0 else {
            let code = errno
            close(descriptor)
            throw failure(code == EADDRINUSE ? .taken : .system(code))
        }
        var status = stat()
        guard unsafe chmod(path, mode_t(mode)) == 0, unsafe lstat(path, &status) == 0 else {
            let code = errno
            close(descriptor)
            _ = unsafe unlink(path)
            throw failure(.system(code))
        }
        self.descriptor = descriptor
        self.path = path
        identity = Identity(status)
    }

    /// Takes the file away, unless another process has put its own there.
    ///
    /// To be called while the socket is open: it holds on to its inode, so no other file has that number until then. What an
    /// operator does to the file's mode or group makes it no other file.
    package func remove() {
        var status = stat()
        guard unsafe lstat(path, &status) == 0, Identity(status) == identity else { return }
        _ = unsafe unlink(path)
    }

    /// Removes a socket that nobody listens at; tells what stands there otherwise.
    private static func clear(_ path: String, _ address: sockaddr_un) -> ListenFailure.Cause? {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return errno == ENOENT ? nil : .system(errno) }
        guard status.st_mode & S_IFMT == S_IFSOCK else { return .notASocket }
        let probe = open()
        guard probe >= 0 else { return .system(errno) }
        defer { close(probe) }
        // A full backlog answers EAGAIN and another kind of socket EPROTOTYPE: there is somebody then, too.
        guard unsafe call(connect, probe, address) != 0, errno == ECONNREFUSED else { return .taken }
        return unsafe unlink(path) == 0 ? nil : .system(errno)
    }

    private static func open() -> Int32 {
        #if canImport(Glibc)
        socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        #else
        socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
    }

    /// The socket's address; nil for a path that does not fit, its closing zero included.
    private static func address(_ path: String) -> sockaddr_un? {
        var address = sockaddr_un()
        let room = MemoryLayout.size(ofValue: address.sun_path)
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count < room, !bytes.contains(0) else { return nil }
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return address
    }

    private static func call(
        _ function: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32, _ descriptor: Int32, _ address: sockaddr_un
    ) -> Int32 {
        unsafe withUnsafePointer(to: address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
