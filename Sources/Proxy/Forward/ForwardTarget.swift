import Transport

/// Where a forward-proxy request wants to go.
struct ForwardTarget: Equatable {
    let origin: Origin
    let host: HostName
    /// The target for the origin: path and query, at least a slash.
    let target: String

    /// Reads a target in absolute form (RFC 9112 section 3.2.2); nil for anything but http and https with a host, and
    /// for user names, fragments and port 0.
    init?(absolute text: String) {
        let lower = text.prefix(8).lowercased()
        let isSecure = lower == "https://"
        guard isSecure || lower.hasPrefix("http://") else { return nil }
        let rest = text.utf8.dropFirst(isSecure ? 8 : 7)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        guard !text.utf8.contains(UInt8(ascii: "#")), let place = HostAndPort(text[rest.startIndex..<end]),
            place.port != 0
        else { return nil }
        host = place.host
        origin = Origin(isSecure: isSecure, host: host.text, port: place.port ?? (isSecure ? 443 : 80))
        let path = text[end...]
        target = path.hasPrefix("/") ? String(path) : "/\(path)"
    }

    /// Reads a target in authority form (RFC 9112 section 3.2.3), which always has a port.
    static func authority(_ text: String) -> HostAndPort? {
        guard let place = HostAndPort(text), let port = place.port, port > 0 else { return nil }
        return place
    }
}
