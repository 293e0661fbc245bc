import Payments
import Primitives
import Transport

/// A request whose form, place and token are good.
///
/// A reference, since an exchange, its question and its reader share it.
final class AdmittedRequest: Sendable {
    let head: RequestHead
    let route: GatewayTable.Route
    let caller: Caller
    /// SHA-256 of the agent's Idempotency-Key.
    let idempotencyKey: Bytes32?
    /// Whether the agent lets a payment go with the first request, for the price that its route usually has.
    var wantsLearnedPrice: Bool { head.fields.contains(.purserPrice, token: "learned") }
    /// Whether the agent wants another purchase of what it bought before, whatever became of the answer.
    var buysAgain: Bool { head.fields.contains(.purserRepeat, token: "buy") }

    init(head: RequestHead, route: GatewayTable.Route, caller: Caller, idempotencyKey: Bytes32?) {
        self.head = head
        self.route = route
        self.caller = caller
        self.idempotencyKey = idempotencyKey
    }
}

/// A request that may be served once its sender is known.
enum Admission: Sendable {
    /// One that is answered by an exchange.
    case request(AdmittedRequest)
    /// One that asks for a tunnel.
    case tunnel(TunnelRequest)

    var head: RequestHead {
        switch self {
        case .request(let request): request.head
        case .tunnel(let request): request.head
        }
    }

    var caller: Caller {
        switch self {
        case .request(let request): request.caller
        case .tunnel(let request): request.caller
        }
    }

    /// Whether it is addressed to this proxy as a forward proxy.
    var isForward: Bool {
        switch self {
        case .request(let request): request.route.form != .gateway
        case .tunnel: true
        }
    }
}

/// What a request must be before anybody is asked who sent it.
extension AgentConnection {
    /// A request that is turned away, and how.
    struct Refusal: Error {
        let problem: Problem

        init(_ status: Int, _ code: String, _ detail: String, closing: Bool = false) {
            var problem = Problem(status: status, code: code, detail: detail)
            problem.closesConnection = closing
            self.problem = problem
        }
    }

    /// Checks form, host and target and finds the agent's token.
    func admit(_ head: RequestHead) -> Result<Admission, Refusal> {
        do throws(Refusal) {
            try checkMethod(head.method)
            guard !services.loopMark.isRepeated(in: head.fields) else { throw Self.loop }
            guard !TokenInTarget.isThere(in: head) else { throw Self.tokenInTarget }
            if head.method == "CONNECT", binding == nil { return .success(.tunnel(try tunnel(head))) }
            if let binding { return .success(.request(try bound(head, to: binding))) }
            // TRACE would show the agent the gateway's own key.
            guard head.method != "TRACE" else {
                throw Refusal(405, "method-not-served", "TRACE is not served.", closing: true)
            }
            if head.target.utf8.first == UInt8(ascii: "/") {
                try checkHost(head)
                let route = try route(head)
                return .success(.request(try admitted(head, route, try caller(head, of: .gateway))))
            }
            guard let target = ForwardTarget(absolute: head.target) else { throw Self.notATarget }
            try checkHostCount(head)
            let route = try route(to: target)
            return .success(.request(try admitted(head, route, try caller(head, of: .forward))))
        } catch {
            return .failure(error)
        }
    }

    private static var loop: Refusal {
        Refusal(508, "loop", Problem.loop.detail)
    }

    private func admitted(
        _ head: RequestHead, _ route: GatewayTable.Route, _ caller: Caller
    ) throws(Refusal) -> AdmittedRequest {
        try checkOverrides(head, route)
        return AdmittedRequest(head: head, route: route, caller: caller, idempotencyKey: try idempotencyKey(head))
    }

    /// A request inside a tunnel whose TLS ends here: it is for the host of the tunnel, and from its agent.
    private func bound(_ head: RequestHead, to binding: Binding) throws(Refusal) -> AdmittedRequest {
        guard head.method != "CONNECT", head.method != "TRACE" else {
            throw Refusal(405, "method-not-served", "\(head.method) is not served here.", closing: true)
        }
        try checkHostCount(head)
        let place = head.fields.first(.host).flatMap { HostAndPort(head.fields.text($0)) }
        guard place?.host == binding.host, (place?.port ?? 443) == binding.port else {
            throw Refusal(
                421, "host-not-accepted", "This connection is for \(binding.origin.authority) alone.", closing: true)
        }
        guard head.target.utf8.first == UInt8(ascii: "/"),
            let target = ForwardTarget(absolute: binding.origin.description + head.target)
        else {
            throw Refusal(400, "target-not-a-path", "The request target must be a path here.", closing: true)
        }
        if case .peer(let peer, _) = binding.caller {
            // Who it is may have been said anew since the tunnel began.
            return try admitted(head, try route(to: target), try caller(peer, head, status: 407))
        }
        return try admitted(head, try route(to: target), try caller(binding.caller, inside: head))
    }

    private func tunnel(_ head: RequestHead) throws(Refusal) -> TunnelRequest {
        guard let place = ForwardTarget.authority(head.target), let port = place.port else {
            throw Refusal(400, "target-not-an-authority", "CONNECT needs host:port as its target.", closing: true)
        }
        // What a body would be of is not said (RFC 9110 section 9.3.6): read as a part of the tunnel it could smuggle.
        guard head.framing == .none || head.framing == .length(0) else {
            throw Refusal(400, "connect-with-body", "CONNECT cannot have a body.", closing: true)
        }
        try checkHostCount(head)
        return TunnelRequest(head: head, caller: try caller(head, of: .forward), host: place.host, port: port)
    }

    /// A gateway by its address, or a host that is none.
    private func route(to target: ForwardTarget) throws(Refusal) -> GatewayTable.Route {
        do throws(GatewayTable.Miss) {
            if let route = try rules.gateways.route(to: target.origin, target: target.target) { return route }
        } catch {
            throw Self.unsafePath
        }
        let host = Gateway(
            name: target.origin.authority, origin: target.origin, basePath: "", paths: [], credential: nil,
            redirectHosts: [], timeouts: .standard)
        return GatewayTable.Route(gateway: host, target: target.target, prefix: "", form: .host(target.host))
    }

    private static var notATarget: Refusal {
        Refusal(
            400, "target-not-a-path",
            "The request target must be a path, /<gateway>/<path>, or an http or https URL for the forward proxy.",
            closing: true)
    }

    private static var unsafePath: Refusal {
        Refusal(
            400, "unsafe-path",
            "The path must not have dot segments, backslashes or control characters, nor an escape that servers read as one "
                + "of these (such as %c0%ae, or more than four layers of percent-encoding).")
    }

    private func checkHostCount(_ head: RequestHead) throws(Refusal) {
        let count = head.fields.lines.count { $0.name == .host }
        guard count == 1 || (count == 0 && head.isHTTP10) else {
            throw Refusal(400, "bad-host", "A request must have exactly one Host field.", closing: true)
        }
    }

    private func checkHost(_ head: RequestHead) throws(Refusal) {
        try checkHostCount(head)
        // No web page reaches a Unix socket, and its clients name whatever host they like.
        if case .process? = peer { return }
        guard let line = head.fields.first(.host) else { return }
        let host = head.fields.text(line)
        if rules.hosts.accepts(host) { return }
        // Who verified the listener's certificate has connected to one of its names.
        if let security, let place = HostAndPort(host), security.isNamed(place.host) { return }
        throw Refusal(
            421, "host-not-accepted",
            "This proxy answers for 127.0.0.1, localhost and [::1] with its port, for what `hosts:` lists, and where it "
                + "speaks TLS for the names of its certificate.", closing: true)
    }

    private func route(_ head: RequestHead) throws(Refusal) -> GatewayTable.Route {
        do throws(GatewayTable.Miss) {
            return try rules.gateways.route(head.target)
        } catch {
            switch error {
            case .notAPath: throw Self.notATarget
            case .unsafePath: throw Self.unsafePath
            case .unknownGateway:
                // Who shows no token is told that first, and only an agent of the books is told which gateways there are.
                let sender = try caller(head, of: .gateway)
                var text = "The path does not begin with a gateway's name."
                if isKnown(sender) {
                    text += " Gateways here: " + rules.gateways.names.map { "/\($0)/" }.joined(separator: " ")
                }
                throw Refusal(404, "unknown-gateway", text)
            }
        }
    }

    /// Whether a sender is an agent of the books, as they were last read.
    private func isKnown(_ sender: Caller) -> Bool {
        switch services.agents.agent(sender) {
        case .current(let agent, _): agent != nil
        case .stale: false
        }
    }

    /// The agent that the operator says a peer is.
    private func caller(_ peer: ConnectedPeer, _ head: RequestHead, status: Int) throws(Refusal) -> Caller {
        // A browser shows its user's certificate for any page that asks it to.
        if case .certificate = peer, isOfWebPage(head) {
            throw Refusal(403, "web-page", "A client certificate does not stand for what a web page sends.")
        }
        try checkStrayToken(head)
        guard let agent = rules.peers.agent(of: peer) else { throw Refusal(status, "peer-not-mapped", peer.notMapped) }
        return .peer(peer, agent: agent)
    }

    /// Whether a browser sends this, or a page of another place made one do so.
    private func isOfWebPage(_ head: RequestHead) -> Bool {
        // Even `none`: a link in another program leads there as well.
        if head.fields.first(.secFetchSite) != nil { return true }
        guard let line = head.fields.first(.origin) else { return false }
        let origin = head.fields.text(line).split(separator: "/", maxSplits: 1)
        let host = head.fields.first(.host).map { head.fields.text($0) }
        return origin.count != 2 || host?.lowercased() != origin[1].dropFirst().lowercased()
    }

    private func caller(_ head: RequestHead, of place: AgentCredential.Place) throws(Refusal) -> Caller {
        let status = place == .forward ? 407 : 401
        do throws(AgentCredential.Problem) {
            return .token(try AgentCredential.find(in: head.fields, known: knownCredential, of: place))
        } catch {
            switch (error, peer) {
            case (.missing, let peer?):
                return try caller(peer, head, status: status)
            default: break
            }
            switch error {
            case .missing where place == .forward:
                throw Refusal(
                    status, "no-token",
                    "No agent token. Send it as the proxy's password, http://agent:psr_…@127.0.0.1:port, or as "
                        + "Proxy-Authorization: Bearer psr_…; `purser agent add` makes one.")
            case .missing:
                throw Refusal(
                    status, "no-token",
                    "No agent token. Send it as Authorization: Bearer psr_…, X-Api-Key, Api-Key, X-Goog-Api-Key, "
                        + "Proxy-Authorization or Purser-Token; `purser agent add` makes one.")
            case .ambiguous(let field):
                throw Self.twoTokens(field)
            case .malformed:
                throw Refusal(status, "mistyped-token", "The agent token is mistyped: its checksum does not hold.")
            }
        }
    }

    private func idempotencyKey(_ head: RequestHead) throws(Refusal) -> Bytes32? {
        do throws(IdempotencyKey.Malformed) {
            return try IdempotencyKey.hash(in: head.fields)
        } catch {
            throw Refusal(
                400, "bad-idempotency-key",
                "Idempotency-Key must stand once and have 1 to 255 visible ASCII characters.")
        }
    }
}
