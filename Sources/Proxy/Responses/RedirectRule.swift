import Transport

/// What becomes of a redirect: it is never followed here, and it may not lead an agent to another origin unseen.
enum RedirectRule {
    /// The fate of a Location field.
    enum Location: Equatable {
        /// There is none, or it may stay as it is.
        case unchanged
        /// It is moved under the gateway's prefix on this proxy.
        case rewritten(String)
        /// It points at an origin that the gateway does not list.
        case foreign
    }

    /// Judges the Location of a response from `route`.
    static func location(of response: ResponseHead, route: GatewayTable.Route) -> Location {
        guard (300..<400).contains(response.status) || response.status == 201,
            let line = response.fields.first(.location)
        else { return .unchanged }
        let value = response.fields.text(line)
        let gateway = route.gateway
        let path: Substring
        if value.hasPrefix("//") {
            return .foreign
        } else if value.hasPrefix("/") {
            path = value[...]
        } else if let colon = value.firstIndex(of: ":"), value[..<colon].allSatisfy({ $0.isLetter || $0.isNumber }) {
            guard let target = absolute(value) else { return .foreign }
            guard target.origin == gateway.origin else {
                return gateway.redirectHosts.contains(target.origin.host) ? .unchanged : .foreign
            }
            path = target.path
        } else {
            return .unchanged
        }
        guard path.hasPrefix(gateway.basePath) else { return .foreign }
        return .rewritten(route.prefix + path.dropFirst(gateway.basePath.count))
    }

    private static func absolute(_ url: String) -> (origin: Origin, path: Substring)? {
        let isSecure = url.lowercased().hasPrefix("https://")
        guard isSecure || url.lowercased().hasPrefix("http://") else { return nil }
        let rest = url.dropFirst(isSecure ? 8 : 7)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        var host = authority
        var port = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let number = Int(authority[authority.index(after: colon)...]) else { return nil }
            host = authority[..<colon]
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return (Origin(isSecure: isSecure, host: String(host), port: port), rest[end...])
    }
}
