/// Where connections go: scheme, host and port.
package struct Origin: Hashable, Sendable, CustomStringConvertible {
    /// Whether the connection is TLS.
    package let isSecure: Bool
    /// The host name or IP literal, lower case, without brackets.
    package let host: String
    /// The port.
    package let port: Int

    /// Makes an origin.
    package init(isSecure: Bool, host: String, port: Int) {
        self.isSecure = isSecure
        self.host = host.lowercased()
        self.port = port
    }

    /// The value of a Host field for this origin.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The origin as a URL without a path.
    package var description: String { "\(isSecure ? "https" : "http")://\(authority)" }
}
