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
    ///
    /// Clients do not read URLs alike: what some of them take for another place than it seems to be is foreign too.
    static func location(of response: ResponseHead, route: GatewayTable.Route) -> Location {
        // Who speaks to the origin itself sees for itself where it is sent.
        guard route.form == .gateway, (300..<400).contains(response.status) || response.status == 201 else {
            return .unchanged
        }
        let lines = response.fields.lines.filter { $0.name == .location }
        guard let line = lines.first else { return .unchanged }
        guard lines.count == 1 else { return .foreign }
        let value = response.fields.text(line)
        let end = value.firstIndex { $0 == "?" || $0 == "#" } ?? value.endIndex
        // Browsers drop tabs, and take a backslash for a slash.
        guard !value.utf8.contains(0x09), !value[..<end].utf8.contains(0x5c) else { return .foreign }
        if let colon = value[..<end].firstIndex(of: ":"), !value[..<colon].contains("/") {
            guard let target = absolute(value) else { return .foreign }
            guard target.origin == route.gateway.origin else {
                return route.gateway.redirectHosts.contains(target.origin.host) ? .unchanged : .foreign
            }
            return moved(target.path, route: route)
        }
        if value.hasPrefix("//") { return .foreign }
        if value.hasPrefix("/") { return moved(value[...], route: route) }
        return PathSafety.isSafe(value[..<end]) ? .unchanged : .foreign
    }

    /// An absolute path of the gateway as it is called on this proxy; foreign when it would lead out of the gateway.
    private static func moved(_ target: Substring, route: GatewayTable.Route) -> Location {
        let gateway = route.gateway
        let path = target.prefix { $0 != "?" && $0 != "#" }
        guard target.hasPrefix(gateway.basePath), PathSafety.isSafe(path) else { return .foreign }
        let rest = target.dropFirst(gateway.basePath.count)
        guard rest.first.map({ $0 == "/" || $0 == "?" || $0 == "#" }) ?? true else { return .foreign }
        // A default gateway owns some prefixes only; what lies elsewhere is reached by its name.
        let isOwn = !route.prefix.isEmpty || gateway.paths.contains { rest.hasPrefix($0) }
        return .rewritten((isOwn ? route.prefix : "/\(gateway.name)") + rest)
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
