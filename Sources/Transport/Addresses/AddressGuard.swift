package import NIOCore

/// Which addresses may be dialled for a host that an agent names: those of the public internet, and what the operator
/// lists.
///
/// An IPv6 address that only carries an IPv4 one is judged by what it carries.
/// Source: IANA's special-purpose address registries, RFC 6890.
package struct AddressGuard: Sendable {
    private let allowed: [AddressRange]

    /// Makes a guard; `allowed` are blocks that may be dialled although they are not public.
    package init(allowed: [AddressRange] = []) {
        self.allowed = allowed
    }

    /// Whether an address may be dialled.
    package func admits(_ address: SocketAddress) -> Bool {
        guard let bytes = IPAddress.bytes(of: address) else { return false }
        return admits(bytes)
    }

    private func admits(_ address: [UInt8]) -> Bool {
        if allowed.contains(where: { $0.contains(address) }) { return true }
        if address.count == 4 { return !Self.reserved4.contains { $0.contains(address) } }
        if let carried = Self.carried(by: address) { return admits(carried) }
        return Self.global6.contains(address) && !Self.reserved6.contains { $0.contains(address) }
    }

    /// The IPv4 address inside one of the forms that networks translate or tunnel: mapped (RFC 4291), NAT64 (RFC 6052)
    /// and 6to4 (RFC 3056).
    private static func carried(by address: [UInt8]) -> [UInt8]? {
        if mapped.contains(address) || translated.contains(address) { return Array(address[12...]) }
        return tunnelled.contains(address) ? Array(address[2..<6]) : nil
    }

    private static let mapped = block("::ffff:0:0/96")
    private static let translated = block("64:ff9b::/96")
    private static let tunnelled = block("2002::/16")
    private static let global6 = block("2000::/3")
    private static let reserved4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    ].map(block)
    private static let reserved6 = ["2001::/23", "2001:db8::/32", "3fff::/20"].map(block)

    private static func block(_ text: String) -> AddressRange {
        guard let range = AddressRange(text) else { preconditionFailure("\(text) is no block of addresses") }
        return range
    }
}
