import Primitives

/// Who answers at an address of the web: scheme, host and port (RFC 6454).
package struct WebOrigin: Hashable, Sendable {
    /// `http` or `https`.
    package let scheme: String
    /// The host in lower case, an IPv6 address in brackets.
    package let host: String
    /// The port, 1 to 65535, the scheme's own when none is written.
    package let port: UInt16

    /// The longest address that is read, in bytes.
    package static let maximumURLBytes = 2048

    /// Reads the origin of an absolute `http` or `https` address in printable ASCII.
    ///
    /// Nil also for an address with a user name or a backslash: such an address looks like another origin to some
    /// readers.
    package init?(url: String) {
        let bytes = Array(url.utf8)
        guard bytes.count <= Self.maximumURLBytes, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x5c }),
            let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes[colon...].starts(with: "://".utf8)
        else { return nil }
        let authority = bytes[(colon + 3)...].prefix { byte in
            byte != UInt8(ascii: "/") && byte != UInt8(ascii: "?") && byte != UInt8(ascii: "#")
        }
        self.init(
            scheme: String(decoding: bytes[..<colon], as: UTF8.self),
            authority: String(decoding: authority, as: UTF8.self))
    }

    /// Takes a scheme and a `host` or `host:port`; nil for anything else.
    ///
    /// Hosts are letters, digits, `.`, `-` and `_`, or an IPv6 address in brackets, at most 255 bytes.
    package init?(scheme: String, authority: String) {
        let scheme = scheme.lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        let bytes = Array(authority.utf8)
        let host: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), end >= 3,
                bytes[1..<end].allSatisfy({ Hex.value(of: $0) != nil || $0 == 0x3a || $0 == 0x2e })
            else { return nil }
            host = bytes[...end]
        } else {
            host = bytes.prefix { $0 != UInt8(ascii: ":") }
            guard !host.isEmpty, host.allSatisfy(Self.isHostByte) else { return nil }
        }
        guard host.count <= 255, let port = Self.port(bytes[host.endIndex...], of: scheme) else { return nil }
        self.scheme = scheme
        self.host = String(decoding: host, as: UTF8.self).lowercased()
        self.port = port
    }

    private static func port(_ text: ArraySlice<UInt8>, of scheme: String) -> UInt16? {
        guard let colon = text.first else { return scheme == "https" ? 443 : 80 }
        let digits = text.dropFirst()
        guard colon == UInt8(ascii: ":"), (1...5).contains(digits.count), digits.allSatisfy(\.isASCIIDigit),
            digits.first != UInt8(ascii: "0")
        else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self))
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
