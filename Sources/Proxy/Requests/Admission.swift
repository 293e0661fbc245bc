import Primitives
import Transport

/// A request whose form, place and token are good.
struct AdmittedRequest: Sendable {
    let head: RequestHead
    let route: GatewayTable.Route
    let credential: AgentCredential
    /// SHA-256 of the agent's Idempotency-Key.
    let idempotencyKey: Bytes32?
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
    func admit(_ head: RequestHead) -> Result<AdmittedRequest, Refusal> {
        do throws(Refusal) {
            try checkForm(head)
            try checkHost(head)
            let route = try route(head)
            let credential = try credential(head)
            return .success(
                AdmittedRequest(
                    head: head, route: route, credential: credential, idempotencyKey: try idempotencyKey(head)))
        } catch {
            return .failure(error)
        }
    }

    /// Who takes this for a forward proxy names another host in Host too, and should hear of the first mistake.
    private func checkForm(_ head: RequestHead) throws(Refusal) {
        // The framing of an answer to CONNECT is not that of its head; nothing here could relay it. TRACE would
        // show the agent the gateway's own key.
        guard head.method != "CONNECT", head.method != "TRACE" else {
            throw Refusal(405, "method-not-served", "\(head.method) is not served.", closing: true)
        }
        guard head.target.utf8.first == UInt8(ascii: "/") else { throw Self.notAPath }
    }

    private static var notAPath: Refusal {
        Refusal(
            400, "target-not-a-path",
            "The request target must be a path: /<gateway>/<path>. Forward-proxy requests are not served.",
            closing: true)
    }

    private func checkHost(_ head: RequestHead) throws(Refusal) {
        let hosts = head.fields.lines.filter { $0.name == .host }
        guard hosts.count == 1 || (hosts.isEmpty && head.isHTTP10) else {
            throw Refusal(400, "bad-host", "A request must have exactly one Host field.", closing: true)
        }
        if let host = hosts.first, !services.hosts.accepts(head.fields.text(host)) {
            throw Refusal(
                421, "host-not-accepted",
                "This proxy answers for 127.0.0.1, localhost and [::1] with its port, and for what `hosts:` lists.",
                closing: true)
        }
    }

    private func route(_ head: RequestHead) throws(Refusal) -> GatewayTable.Route {
        do throws(GatewayTable.Miss) {
            return try services.gateways.route(head.target)
        } catch {
            switch error {
            case .notAPath: throw Self.notAPath
            case .unsafePath:
                throw Refusal(400, "unsafe-path", "The path must not have dot segments or backslashes, encoded or not.")
            case .unknownGateway:
                let names = services.gateways.names.map { "/\($0)/" }.joined(separator: " ")
                throw Refusal(
                    404, "unknown-gateway", "The path does not begin with a gateway's name. Gateways here: \(names)")
            }
        }
    }

    private func credential(_ head: RequestHead) throws(Refusal) -> AgentCredential {
        do throws(AgentCredential.Problem) {
            return try AgentCredential.find(in: head.fields, known: knownCredential)
        } catch {
            switch error {
            case .missing:
                throw Refusal(
                    401, "no-token",
                    "No agent token. Send it as Authorization: Bearer psr_…, X-Api-Key, Proxy-Authorization or "
                        + "Purser-Token; `purser agent add` makes one.")
            case .ambiguous:
                throw Refusal(400, "two-tokens", "More than one field carries an agent token.")
            case .malformed:
                throw Refusal(401, "mistyped-token", "The agent token is mistyped: its checksum does not hold.")
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
