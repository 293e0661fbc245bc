#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A host as it stands in URLs: a name, an IPv4 address, or an IPv6 address in brackets.
package struct HostName: Equatable, Sendable {
    /// Lower case, without brackets.
    package let text: String
    /// Whether it is an IP address.
    package let isAddress: Bool
    /// Whether it can only mean this machine.
    package let isLoopback: Bool

    /// Reads a host; nil for what is neither a name of letters, digits, hyphens and underscores nor an address.
    package init?(_ spelled: some StringProtocol) {
        let lower = spelled.lowercased()
        if lower.hasPrefix("[") {
            text = String(lower.dropFirst().dropLast())
            guard lower.hasSuffix("]"), let bytes = Self.ipv6(text) else { return nil }
            isAddress = true
            isLoopback = bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
            return
        }
        let labels = lower.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = labels.last, lower.utf8.count <= 253, labels.allSatisfy(Self.isLabel) else { return nil }
        // Resolvers read `127.1` and `0x7f.1` as addresses: a last label that begins with a digit must be one in full.
        guard last.utf8.first.map({ $0 >= 0x30 && $0 <= 0x39 }) == true else {
            text = lower
            isAddress = false
            isLoopback = lower == "localhost"
            return
        }
        let octets = labels.compactMap { UInt8($0) }
        guard octets.count == 4, labels.count == 4, zip(octets, labels).allSatisfy({ "\($0)" == $1 }) else {
            return nil
        }
        text = lower
        isAddress = true
        isLoopback = octets.first == 127
    }

    /// One text for every spelling of the host: IPv6 addresses in their short form, and as IPv4 where they carry one.
    package var canonical: String {
        guard isAddress, let bytes = Self.ipv6(text) else { return text }
        if bytes.prefix(10).allSatisfy({ $0 == 0 }), bytes[10] == 0xff, bytes[11] == 0xff {
            return bytes[12...].map { "\($0)" }.joined(separator: ".")
        }
        return stride(from: 0, to: 16, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }

    private static func ipv6(_ text: String) -> [UInt8]? {
        var address = [UInt8](repeating: 0, count: 16)
        guard unsafe inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return address
    }

    private static func isLabel(_ label: Substring) -> Bool {
        let bytes = label.utf8
        return !bytes.isEmpty && bytes.count <= 63 && bytes.first != 0x2d && bytes.last != 0x2d
            && bytes.allSatisfy { byte in
                byte >= 0x61 && byte <= 0x7a || byte >= 0x30 && byte <= 0x39 || byte == 0x2d || byte == 0x5f
            }
    }
}

/// A host with a port, where there is one.
package struct HostAndPort: Equatable, Sendable {
    /// The host.
    package let host: HostName
    /// The port, 0 to 65535.
    package let port: Int?

    /// Reads `host`, `host:port`, `[::1]` or `[::1]:port`; ports are 0 to 65535 without signs or leading zeros.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        let end =
            text.hasPrefix("[")
            ? text.firstIndex(of: "]").map { text.index(after: $0) } ?? text.endIndex
            : text.firstIndex(of: ":") ?? text.endIndex
        guard let host = HostName(text[..<end]) else { return nil }
        self.host = host
        guard end < text.endIndex else {
            port = nil
            return
        }
        let digits = text[end...].dropFirst()
        guard text[end] == ":", let number = UInt16(digits), "\(number)" == digits else { return nil }
        port = Int(number)
    }
}
