package import Transport

/// The gateways of one configuration and the way from a request target to one of them.
package struct GatewayTable: Sendable {
    private let byName: [String: Gateway]
    private let byPrefix: [(prefix: String, gateway: Gateway)]

    /// Makes a table; names are unique and no two gateways claim the same prefix.
    package init(_ gateways: [Gateway]) {
        byName = Dictionary(gateways.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        byPrefix = gateways.flatMap { gateway in gateway.paths.map { ($0, gateway) } }
            .sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }
    }

    /// The gateways' names, sorted.
    package var names: [String] { byName.keys.sorted() }

    /// The gateway of a name.
    func gateway(named name: String) -> Gateway? { byName[name] }

    /// The names of the gateways at a host and port, sorted.
    func names(at host: HostName, port: Int) -> [String] {
        byName.values.filter { $0.origin.host == host.text && $0.origin.port == port }.map(\.name).sorted()
    }

    /// Where a request goes.
    package struct Route: Sendable {
        /// The gateway.
        package let gateway: Gateway
        /// The upstream target: path and query, as the agent wrote them.
        package let target: String
        /// What stands before the upstream path in the agent's path: `/<gateway>`, or nothing for a default gateway.
        package let prefix: String
        /// How the agent speaks of it.
        package var form = Form.gateway

        /// How an agent names where its request goes.
        package enum Form: Equatable, Sendable {
            /// By a path on this proxy.
            case gateway
            /// By the gateway's own address, through the forward proxy.
            case address
            /// By the address of this host, which is no gateway: it gets the request and no payment.
            case host(HostName)
        }

        /// The host where it is no gateway.
        var host: HostName? { if case .host(let host) = form { host } else { nil } }
    }

    /// Why a target leads nowhere.
    package enum Miss: Error, Equatable, Sendable {
        /// Not a path: absolute form, authority form, `*`, or a fragment.
        case notAPath
        /// The path has dot segments, plain or encoded, or a backslash, and might leave the gateway's part.
        case unsafePath
        /// No gateway of that name.
        case unknownGateway
    }

    /// Whether a gateway is at an origin.
    package func isGateway(_ origin: Origin) -> Bool { byName.values.contains { $0.origin == origin } }

    /// Finds the gateway that a request to an address goes to; nil when it goes to none.
    ///
    /// Of several at one origin it is the one with the longest path in front. Throws ``Miss/unsafePath`` where the path
    /// may lead out of the gateway that it seems to be for.
    package func route(to origin: Origin, target: String) throws(Miss) -> Route? {
        let candidates = byName.values.filter { $0.origin == origin }
        guard !candidates.isEmpty else { return nil }
        let path = target.prefix { $0 != "?" }
        guard PathSafety.isSafe(path) else { throw .unsafePath }
        let gateway =
            candidates
            .filter { path.hasPrefix($0.basePath) && (path.dropFirst($0.basePath.count).first ?? "/") == "/" }
            .max { ($0.basePath.count, $1.name) < ($1.basePath.count, $0.name) }
        return gateway.map { Route(gateway: $0, target: target, prefix: "", form: .address) }
    }

    /// Finds the gateway for a request target in origin form.
    package func route(_ target: String) throws(Miss) -> Route {
        guard target.utf8.first == UInt8(ascii: "/"), !target.utf8.contains(UInt8(ascii: "#")) else { throw .notAPath }
        let end = target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
        let path = target[..<end]
        guard PathSafety.isSafe(path) else { throw .unsafePath }
        let nameStart = target.index(after: target.startIndex)
        let nameEnd = target.utf8[nameStart..<end].firstIndex(of: UInt8(ascii: "/")) ?? end
        if let gateway = byName[String(target[nameStart..<nameEnd])] {
            let rest = target[nameEnd...]
            let separator = rest.utf8.first == UInt8(ascii: "/") || gateway.basePath.isEmpty == false ? "" : "/"
            return Route(
                gateway: gateway, target: gateway.basePath + separator + rest,
                prefix: String(target[..<nameEnd]))
        }
        if let match = byPrefix.first(where: { path.hasPrefix($0.prefix) }) {
            return Route(gateway: match.gateway, target: match.gateway.basePath + target, prefix: "")
        }
        throw .unknownGateway
    }
}
