package import Transport

/// The URL of a chain's JSON-RPC endpoint.
///
/// Providers put API keys into paths and queries, so no text made of an endpoint shows more than host and port.
package struct ChainEndpoint: Sendable, Equatable {
    /// Where requests go.
    package let origin: Origin
    /// What two endpoints of the same machine share: the host in any spelling, on loopback with the port, since there
    /// other ports are often tunnels to other machines.
    let machine: String
    /// Whether the host is loopback.
    let isLocal: Bool
    /// The path and query of every request; secret.
    let target: String

    /// Bytes of a URL that are still read.
    private static let lengthLimit = 2048

    /// Reads `https://host[:port][/path][?query]`; plain `http` only on loopback.
    package init(_ text: String) throws(ChainEndpointError) {
        guard text.utf8.count <= Self.lengthLimit, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
            let separator = text.firstRange(of: "://")
        else { throw .notAURL }
        let scheme = text[..<separator.lowerBound].lowercased()
        guard scheme == "https" || scheme == "http" else { throw .scheme }
        let rest = text[separator.upperBound...]
        guard !rest.contains("#") else { throw .fragment }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        guard !rest[..<end].contains("@") else { throw .credentials }
        guard let place = HostAndPort(rest[..<end]), place.port != 0 else { throw .host }
        let isSecure = scheme == "https"
        guard isSecure || place.host.isLoopback else { throw .plainHTTP(host: place.host.text) }
        origin = Origin(isSecure: isSecure, host: place.host.text, port: place.port ?? (isSecure ? 443 : 80))
        isLocal = place.host.isLoopback
        machine = isLocal ? "loopback:\(origin.port)" : place.host.canonical
        target = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...]
    }

    /// The host, and the port where it is not the usual one.
    package var name: String { origin.authority }

    /// Whether two endpoints are the same machine under other paths, ports or spellings: together they prove no more than one.
    package func isSameMachine(as other: ChainEndpoint) -> Bool { machine == other.machine }

    /// A text from outside without the parts of path and query that may be a key.
    func redacting(_ text: String) -> String {
        let parts = target.split { "/?&=".contains($0) }.filter { $0.utf8.count >= 8 }
        return parts.reduce(String(text.prefix(Self.lengthLimit * 2))) { $0.replacing($1, with: "[key]") }
    }
}

extension ChainEndpoint: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The same as ``name``.
    package var description: String { name }

    /// The same as ``name``.
    package var debugDescription: String { name }

    /// Nothing, so that no dump shows the path.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Why a text is not the URL of a chain endpoint.
package enum ChainEndpointError: Error, Sendable, Equatable {
    /// No scheme, a character outside visible ASCII, or longer than 2048 bytes.
    case notAURL
    /// A scheme other than https and http.
    case scheme
    /// There is a fragment, which no server would see.
    case fragment
    /// A user or password stands in front of the host.
    case credentials
    /// The authority is not a host, or not a host and a port from 1 to 65535.
    case host
    /// Plain http to another machine.
    case plainHTTP(host: String)
}

extension ChainEndpointError: CustomStringConvertible {
    /// One sentence without the URL, which may hold a key.
    package var description: String {
        switch self {
        case .notAURL: "A chain endpoint is a URL such as https://rpc.example/key."
        case .scheme: "A chain endpoint is reached over https, or over http on loopback."
        case .fragment: "A chain endpoint's URL cannot have a fragment (#)."
        case .credentials: "A chain endpoint's URL cannot have a user or password."
        case .host: "A chain endpoint's URL names a host, and a port from 1 to 65535 where it has one."
        case .plainHTTP(let host): "Plain http only on loopback (127.0.0.1, localhost, [::1]); use https for \(host)."
        }
    }
}
