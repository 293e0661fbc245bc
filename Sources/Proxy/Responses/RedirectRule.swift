import Transport
import X402

/// What becomes of the Location of an answer: it is never followed here, and it may not lead an agent to another origin
/// unseen.
enum RedirectRule {
    /// The fate of a Location field.
    enum Location: Equatable {
        /// There is none, or it may stay as it is.
        case unchanged
        /// It leads into the gateway, and is written as agents call that place.
        case rewritten(String)
        /// It is left out: the status says that nobody is sent anywhere.
        case removed
        /// Nobody is sent there.
        case refused(Refusal)
    }

    /// A redirect that is not passed on.
    struct Refusal: Equatable {
        /// Why not.
        let reason: Reason
        /// The Location as received, at most ``limit`` characters.
        let location: String

        /// The most characters of a Location that are shown or kept.
        static let limit = 2048

        /// What the books keep of it.
        var note: String { "redirect refused (\(reason.rawValue)): \(location.printable(limit: Self.limit))" }
    }

    /// Why a redirect is not passed on.
    ///
    /// Raw values are the `reason` of a problem.
    enum Reason: String, CaseIterable {
        /// A host that the gateway does not list.
        case anotherHost = "another-host"
        /// The gateway's own host, on another port.
        case anotherPort = "another-port"
        /// The gateway's own origin, outside of its base path.
        case outsideBasePath = "outside-base-path"
        /// A URL that is neither http nor https.
        case anotherScheme = "another-scheme"
        /// More than one Location field.
        case severalLocations = "several-locations"
        /// A text that programs read as different places.
        case ambiguous
    }

    /// Judges the Location of a response from `route`.
    ///
    /// A redirect (3xx) that does not lead into the gateway is refused. Clients do not follow the Location of a 201, which
    /// therefore stays as it is where it cannot be rewritten, and they have nothing to follow in a 304.
    static func location(of response: ResponseHead, route: GatewayTable.Route) -> Location {
        // Who speaks to the origin itself sees for itself where it is sent.
        guard route.form == .gateway, (300..<400).contains(response.status) || response.status == 201 else {
            return .unchanged
        }
        let values = response.fields.lines.filter { $0.name == .location }.map { response.fields.text($0) }
        guard let value = values.first else { return .unchanged }
        do throws(Miss) {
            guard values.count == 1 else { throw Miss(.severalLocations) }
            return try place(value, route: route)
        } catch {
            switch response.status {
            case 201: return .unchanged
            case 304: return .removed
            default: return .refused(Refusal(reason: error.reason, location: String(value.prefix(Refusal.limit))))
            }
        }
    }

    private struct Miss: Error {
        let reason: Reason

        init(_ reason: Reason) { self.reason = reason }
    }

    /// Resolves a reference against the request's own address and says how agents call that place.
    ///
    /// RFC 3986 section 5.2. Clients do not read URLs alike: what some take for another place than others is refused.
    private static func place(_ value: String, route: GatewayTable.Route) throws(Miss) -> Location {
        let gateway = route.gateway
        let reference = Reference(value[...])
        // Browsers drop tabs, and take a backslash for a slash.
        guard !value.utf8.contains(0x09), !reference.beforeQuery.utf8.contains(0x5c) else { throw Miss(.ambiguous) }
        let isSecure: Bool
        switch reference.scheme?.lowercased() {
        case nil: isSecure = gateway.origin.isSecure
        case "http": isSecure = false
        case "https": isSecure = true
        default: throw Miss(.anotherScheme)
        }
        if let authority = reference.authority {
            guard let origin = origin(authority, isSecure: isSecure) else { throw Miss(.ambiguous) }
            guard isOwn(origin, of: gateway.origin) else {
                if gateway.redirectHosts.contains(where: { host($0) == host(origin.host) }) {
                    // Without a scheme of its own it has the gateway's, which may not be the one that the agent speaks.
                    return reference.scheme == nil
                        ? .rewritten((isSecure ? "https:" : "http:") + value) : .unchanged
                }
                let isHost = host(origin.host) == host(gateway.origin.host)
                throw Miss(isHost ? .anotherPort : .anotherHost)
            }
            return try moved(reference.path, reference.suffix, route: route)
        }
        guard reference.scheme == nil else { throw Miss(.ambiguous) }
        let base = route.target.prefix { $0 != "?" }
        if reference.path.isEmpty { return .unchanged }
        if reference.path.hasPrefix("/") { return try moved(reference.path, reference.suffix, route: route) }
        let folder = base.lastIndex(of: "/").map { base[...$0] } ?? "/"
        let moved = try moved(folder + reference.path, reference.suffix, route: route)
        // Beside a path below the gateway's root, the agent finds the same place by itself.
        let isBelowRoot =
            folder.count > gateway.basePath.count
            && !(base.dropFirst(gateway.basePath.count) == "/")
        return isBelowRoot && PathSafety.isSafe(reference.path) ? .unchanged : moved
    }

    /// A path at the gateway's origin as agents call it on this proxy.
    private static func moved(
        _ path: Substring, _ suffix: Substring, route: GatewayTable.Route
    ) throws(Miss) -> Location {
        let gateway = route.gateway
        let path = withoutDotSegments(path)
        guard PathSafety.isSafe(path[...]) else { throw Miss(.ambiguous) }
        let rest = path.dropFirst(gateway.basePath.count)
        guard path.hasPrefix(gateway.basePath), rest.first.map({ $0 == "/" }) ?? true else {
            throw Miss(.outsideBasePath)
        }
        // A default gateway owns some prefixes only; what lies elsewhere is reached by its name.
        let isOwn = !route.prefix.isEmpty || gateway.paths.contains { rest.hasPrefix($0) }
        return .rewritten((isOwn ? route.prefix : "/\(gateway.name)") + rest + suffix)
    }

    /// RFC 3986 section 5.2.4, for a path that is empty or begins with a slash.
    private static func withoutDotSegments(_ path: Substring) -> String {
        guard path.utf8.contains(UInt8(ascii: ".")) else { return String(path) }
        var kept: [Substring] = []
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                if !kept.isEmpty { kept.removeLast() }
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return kept.map { "/" + $0 }.joined()
    }

    /// Whether a place is the gateway's own: the same host and port, under whichever scheme, where a default port is the
    /// same as none.
    ///
    /// Sellers that run a proxy of their own often do not know by which scheme they are called.
    private static func isOwn(_ place: Origin, of origin: Origin) -> Bool {
        let defaults = [80, 443]
        return host(place.host) == host(origin.host)
            && (place.port == origin.port || defaults.contains(place.port) && defaults.contains(origin.port))
    }

    /// One text for every spelling of a host.
    private static func host(_ text: String) -> String {
        let name = text.hasSuffix(".") ? String(text.dropLast()) : text
        return HostName(name.contains(":") ? "[\(name)]" : name)?.canonical ?? name
    }

    private static func origin(_ authority: Substring, isSecure: Bool) -> Origin? {
        guard !authority.isEmpty, !authority.contains("@") else { return nil }
        var host = authority
        var port = isSecure ? 443 : 80
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            let digits = authority[authority.index(after: colon)...]
            // RFC 3986 section 3.2.3: a port may be empty.
            if !digits.isEmpty {
                guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt16(digits) else {
                    return nil
                }
                port = Int(number)
            }
            host = authority[..<colon]
        }
        guard !host.isEmpty else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return Origin(isSecure: isSecure, host: String(host), port: port)
    }
}

/// A URI reference in its parts; RFC 3986 section 4.1.
private struct Reference {
    /// nil for a relative reference.
    let scheme: Substring?
    /// nil where there is none, empty where it is empty.
    let authority: Substring?
    let path: Substring
    /// Query and fragment with their marks.
    let suffix: Substring
    /// Everything in front of the query and the fragment.
    let beforeQuery: Substring

    init(_ text: Substring) {
        let end = text.firstIndex { $0 == "?" || $0 == "#" } ?? text.endIndex
        beforeQuery = text[..<end]
        suffix = text[end...]
        var rest = text[..<end]
        if let colon = rest.firstIndex(of: ":"), !rest[..<colon].contains("/") {
            scheme = rest[..<colon]
            rest = rest[rest.index(after: colon)...]
        } else {
            scheme = nil
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            authority = rest[..<end]
            rest = rest[end...]
        } else {
            authority = nil
        }
        path = rest
    }
}
