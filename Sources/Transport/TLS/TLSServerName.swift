import NIOCore

/// The identity a server's certificate must prove.
enum TLSServerName: Hashable, Sendable {
    /// A DNS name in lower case, without the root's dot.
    case host(String)
    /// An IPv4 or IPv6 literal, without brackets.
    case address(String)

    /// Reads a host name or an IP literal (an IPv6 literal may be in brackets, as in a URL).
    ///
    /// Strict on purpose: libcrypto takes a name with a leading dot to mean every subdomain, and SNI must carry neither
    /// an address nor a trailing dot (RFC 6066, section 3).
    init(_ text: String) throws(TLSError) {
        let bare = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
        // An address with a zone ("%eth0") is no name that a certificate could carry.
        if !bare.contains("%"), (try? SocketAddress(ipAddress: bare, port: 0)) != nil {
            self = .address(bare)
            return
        }
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.count) && $0.allSatisfy(Self.isLetter) })
        else {
            throw .invalidServerName
        }
        self = .host(name.lowercased())
    }

    /// The name as a certificate or a message would show it.
    var text: String {
        switch self {
        case .host(let name): name
        case .address(let literal): literal
        }
    }

    /// Letters, digits, hyphen (RFC 1123), and the underscore that names inside clusters use.
    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
