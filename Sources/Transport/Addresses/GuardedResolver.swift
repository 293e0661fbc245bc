package import NIOCore
package import NIOPosix

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Every address of a host is refused by the ``AddressGuard``.
package struct AddressRefused: Error, Equatable, Sendable {}

/// Resolves a host once and lets through what may be dialled: the connection then goes to exactly a checked address.
///
/// Whoever controls a name's records can change them between two look-ups, so there is only one.
package struct GuardedResolver: Resolver, Sendable {
    private let addresses: AddressGuard
    private let loop: any EventLoop
    private let threads: NIOThreadPool

    /// Makes a resolver for connections of one loop; look-ups block, and are made on `threads`.
    package init(addresses: AddressGuard, loop: any EventLoop, threads: NIOThreadPool) {
        self.addresses = addresses
        self.loop = loop
        self.threads = threads
    }

    package func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        resolve(host, port: port, family: AddressLookup.ipv4)
    }

    package func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        resolve(host, port: port, family: AddressLookup.ipv6)
    }

    package func cancelQueries() {}

    private func resolve(_ host: String, port: Int, family: Int32) -> EventLoopFuture<[SocketAddress]> {
        threads.runIfActive(eventLoop: loop) { [addresses] in
            let found = AddressLookup.addresses(of: host, port: port, family: family)
            let admitted = found.filter(addresses.admits)
            guard !admitted.isEmpty || found.isEmpty else { throw AddressRefused() }
            return admitted
        }
    }
}

/// The system's resolver.
enum AddressLookup {
    /// Addresses of a host that are tried at most.
    private static let limit = 16

    /// The two families, as the system numbers them.
    static let ipv4 = AF_INET
    static let ipv6 = AF_INET6

    /// All addresses of one family in the system's order (RFC 6724); none when there are none or nobody knows.
    static func addresses(of host: String, port: Int, family: Int32) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = family
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, String(port), &hints, &list) == 0 else { return [] }
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        var found: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next, found.count < limit {
            if let address = unsafe socketAddress(entry.pointee) { found.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return found
    }

    private static func socketAddress(_ entry: addrinfo) -> SocketAddress? {
        guard let pointer = unsafe entry.ai_addr else { return nil }
        switch unsafe entry.ai_family {
        case AF_INET:
            return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe SocketAddress($0.pointee)
            }
        case AF_INET6:
            return unsafe pointer.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                unsafe SocketAddress($0.pointee)
            }
        default: return nil
        }
    }
}
