package import NIOCore

/// How far away the other end of a connection is.
package enum ConnectionReach {
    private static let everyPublic = AddressGuard()

    /// Whether what is sent to an address may come back to this process without having passed the public internet: it is one
    /// of this machine, or not a public one.
    package static func mayLeadBack(from local: SocketAddress?, to remote: SocketAddress?) -> Bool {
        guard let remote, !isThisMachine(from: local, to: remote) else { return true }
        return !everyPublic.admits(remote)
    }

    /// Whether a connection leads to this machine: to a loopback address, or to the address that it comes from.
    package static func isThisMachine(from local: SocketAddress?, to remote: SocketAddress?) -> Bool {
        guard let bytes = remote.flatMap({ IPAddress.bytes(of: $0) }) else { return false }
        if local.flatMap({ IPAddress.bytes(of: $0) }) == bytes { return true }
        return bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }
}
