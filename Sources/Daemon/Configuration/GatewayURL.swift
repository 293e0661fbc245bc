import Transport

/// Why a text is not the URL of a gateway, as a sentence.
struct GatewayURLError: Error, Equatable, CustomStringConvertible {
    let description: String
}

/// The URL of a gateway: an origin and the path that all its requests begin with.
struct GatewayURL: Equatable {
    let origin: Origin
    /// Empty, or a slash and more without a slash at the end.
    let basePath: String

    /// Reads `https://host[:port][/path]`; plain `http` only where nobody else is on the line.
    init(_ text: String) throws(GatewayURLError) {
        guard let separator = text.firstRange(of: "://") else {
            throw GatewayURLError(description: "`\(text)` is not a URL such as `https://gateway.example/v1`")
        }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "https" || scheme == "http" else {
            throw GatewayURLError(description: "`\(scheme)` is not supported, only https and http")
        }
        let rest = text[separator.upperBound...]
        for (mark, name) in [("#", "fragment"), ("?", "query")] where rest.contains(mark) {
            throw GatewayURLError(description: "a gateway's URL cannot have a \(name) (`\(mark)`)")
        }
        let end = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains("@") else {
            throw GatewayURLError(
                description: "a gateway's URL cannot have a user or password; use `credential` for its key")
        }
        guard let place = HostAndPort(authority) else {
            throw GatewayURLError(description: "`\(authority)` is not a host, or not a host and a port up to 65535")
        }
        guard place.port != 0 else { throw GatewayURLError(description: "nothing listens on port 0") }
        guard scheme == "https" || place.host.isLoopback else {
            throw GatewayURLError(
                description:
                    "plain http only on loopback (127.0.0.1, localhost, [::1]); use https for `\(place.host.text)`")
        }
        var path = String(rest[end...])
        while path.hasSuffix("/") { path.removeLast() }
        guard path.isEmpty || PlainPath.isPlain(path) else {
            throw GatewayURLError(description: "the path `\(path)` has empty or dot segments, or characters to encode")
        }
        let isSecure = scheme == "https"
        origin = Origin(isSecure: isSecure, host: place.host.text, port: place.port ?? (isSecure ? 443 : 80))
        basePath = path
    }
}

/// Paths that mean the same to everybody who reads them.
enum PlainPath {
    /// Whether a path begins with a slash, has no empty or dot segments but for one slash at the end, and only
    /// characters that stand for themselves.
    static func isPlain(_ path: String) -> Bool {
        guard path.hasPrefix("/") else { return false }
        var segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if segments.last?.isEmpty == true { segments.removeLast() }
        return segments.allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".." && segment.utf8.allSatisfy(isPlain)
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        // RFC 3986 section 3.3: unreserved marks, sub-delimiters, `:` and `@`; percent-encoding is left out.
        case 0x21, 0x24, 0x26...0x2e, 0x3a, 0x3b, 0x3d, 0x40, 0x5f, 0x7e: true
        default: false
        }
    }
}
