#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Of what kind a listening socket is.
package enum ListeningFamily: Sendable, Equatable {
    /// It listens at an IP address.
    case address
    /// It listens at a file.
    case file

    /// Looks at a descriptor; nil for what is no listening stream socket of one of these families.
    package init?(descriptor: Int32) {
        guard Self.option(SO_ACCEPTCONN, of: descriptor) == 1,
            Self.option(SO_TYPE, of: descriptor) == Int32(SOCK_STREAM.rawValue)
        else { return nil }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(descriptor, $0, &length)
            }
        }
        guard code == 0 else { return nil }
        switch Int32(storage.ss_family) {
        case AF_INET, AF_INET6: self = .address
        case AF_UNIX: self = .file
        default: return nil
        }
    }

    private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 else { return nil }
        return value
    }
}
