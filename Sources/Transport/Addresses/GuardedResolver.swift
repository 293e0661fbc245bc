package import NIOCore
import NIOPosix
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Every address of a host is refused by the ``AddressGuard``.
package struct AddressRefused: Error, Equatable, Sendable {}

/// Resolves the host of one connection once and lets through what may be dialled: the connection then goes to exactly a
/// checked address.
///
/// Whoever controls a name's records can change them between two look-ups, so there is only one.
package struct GuardedResolver: Resolver, Sendable {
    /// Nil where the operator chose the host: any address is dialled then.
    private let addresses: AddressGuard?
    private let loop: any EventLoop
    private let asker: LookupAsker
    private let lookups: AddressLookups
    private let queries = Queries()

    /// What is being looked up for one connection.
    private final class Queries: Sendable {
        private let cancels = Mutex<[@Sendable () -> Void]>([])

        func add(_ cancel: @escaping @Sendable () -> Void) { cancels.withLock { $0.append(cancel) } }

        func cancel() {
            let all = cancels.withLock { cancels in
                defer { cancels = [] }
                return cancels
            }
            for cancel in all { cancel() }
        }
    }

    /// Makes a resolver for a connection of a loop.
    ///
    /// `asker` is whose share of `lookups` is used: the agent that names the host, or the host that the operator named.
    package init(
        addresses: AddressGuard?, loop: any EventLoop, for asker: LookupAsker, lookups: AddressLookups = .standard
    ) {
        self.addresses = addresses
        self.loop = loop
        self.asker = asker
        self.lookups = lookups
    }

    package func initiateAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        resolve(host, port: port, family: AddressLookup.ipv4)
    }

    package func initiateAAAAQuery(host: String, port: Int) -> EventLoopFuture<[SocketAddress]> {
        resolve(host, port: port, family: AddressLookup.ipv6)
    }

    package func cancelQueries() { queries.cancel() }

    private func resolve(_ host: String, port: Int, family: Int32) -> EventLoopFuture<[SocketAddress]> {
        // An address needs no thread.
        if let literal = try? SocketAddress(ipAddress: host, port: port) {
            return loop.makeCompletedFuture { try admitted(AddressLookup.isOf(family, literal) ? [literal] : []) }
        }
        let pending = lookups.addresses(of: host, family: family, for: asker, on: loop)
        queries.add(pending.cancel)
        return pending.addresses.flatMapThrowing { found in
            try admitted(
                found.map { address in
                    var address = address
                    address.port = port
                    return address
                })
        }
    }

    private func admitted(_ found: [SocketAddress]) throws -> [SocketAddress] {
        guard let addresses else { return found }
        let admitted = found.filter(addresses.admits)
        guard !admitted.isEmpty || found.isEmpty else { throw AddressRefused() }
        return admitted
    }
}

/// The system's resolver.
enum AddressLookup {
    /// Addresses of a host that are tried at most.
    private static let limit = 16

    /// The two families, as the system numbers them.
    static let ipv4 = AF_INET
    static let ipv6 = AF_INET6

    /// Whether an address is of a family.
    static func isOf(_ family: Int32, _ address: SocketAddress) -> Bool {
        switch address {
        case .v4: family == ipv4
        case .v6: family == ipv6
        case .unixDomainSocket: false
        }
    }

    /// All addresses of one family in the system's order (RFC 6724), without a port; none when there are none or nobody
    /// knows.
    ///
    /// Blocks for as long as the system asks name servers.
    static func addresses(of host: String, family: Int32) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = family
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
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
