import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A block of IP addresses, as `10.0.0.0/8` or `fd00::/8` writes it.
package struct AddressRange: Hashable, Sendable {
    /// The first address, 4 or 16 bytes; bits behind the prefix are zero.
    let first: [UInt8]
    /// How many bits all addresses share.
    let prefix: Int

    /// Reads CIDR notation, or a single address; nil for anything else and for bits behind the prefix (RFC 4632).
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let bytes = IPAddress.bytes(of: String(parts[0])) else { return nil }
        let bits = bytes.count * 8
        var prefix = bits
        if parts.count == 2 {
            guard let number = UInt8(parts[1]), "\(number)" == parts[1], number <= bits else { return nil }
            prefix = Int(number)
        }
        for bit in prefix..<bits {
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            guard bytes[bit / 8] & mask == 0 else { return nil }
        }
        first = bytes
        self.prefix = prefix
    }

    /// Whether an address of 4 or 16 bytes lies in the block.
    func contains(_ address: [UInt8]) -> Bool {
        guard address.count == first.count else { return false }
        let whole = prefix / 8
        guard address[..<whole] == first[..<whole] else { return false }
        let rest = prefix % 8
        let difference: UInt8 = rest == 0 ? 0 : address[whole] ^ first[whole]
        return difference >> UInt8(8 - rest) == 0
    }
}

/// IP addresses as bytes, 4 or 16 of them in network order.
package enum IPAddress {
    /// Reads an address in its standard text form; nil for anything else.
    package static func bytes(of text: String) -> [UInt8]? {
        var wide = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET6, text, &wide) == 1 { return wide }
        var narrow = [UInt8](repeating: 0, count: 4)
        return unsafe inet_pton(AF_INET, text, &narrow) == 1 ? narrow : nil
    }

    /// The bytes of a socket's address; nil for sockets that have none.
    static func bytes(of address: SocketAddress) -> [UInt8]? { address.ipAddress.flatMap { bytes(of: $0) } }
}
