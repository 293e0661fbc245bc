import Payments
import Transport

/// Refusals of what the gateway, or a server after it, could read otherwise than it is read here.
extension AgentConnection {
    static var tokenInTarget: Refusal {
        Refusal(
            400, "token-in-target",
            "The request target has an agent token, which servers on the way would log. Send it in a header field, such as "
                + "Authorization: Bearer, X-Api-Key, Api-Key or X-Goog-Api-Key, and replace it with "
                + "`purser agent token` if the target went elsewhere before.")
    }

    static func twoTokens(_ field: String) -> Refusal {
        Refusal(
            400, "two-tokens",
            "The field `\(field)` has an agent token other than the one that names the sender. Send one token.")
    }

    /// Some servers do what such a field says in place of the method that was admitted, paid for and booked.
    ///
    /// Hosts that are no gateway are paid nothing, and their requests stay as they are. A `_method` in a query or a form is
    /// the application's data, like the rest of both.
    func checkOverrides(_ head: RequestHead, _ route: GatewayTable.Route) throws(Refusal) {
        if route.host == nil, let line = head.fields.first(.methodOverride) {
            throw Refusal(
                400, "method-override",
                "The field `\(head.fields.shownName(of: line))` may replace the method of a request. Send the request with "
                    + "the method that is meant.")
        }
        do throws(MaxForwards.Malformed) {
            _ = try MaxForwards.read(head)
        } catch {
            throw Refusal(400, "bad-max-forwards", "Max-Forwards must be one plain number, sent once.")
        }
    }

    /// The caller of a request inside a tunnel, with the places of its head that have the token of the tunnel.
    func caller(_ outer: Caller, inside head: RequestHead) throws(Refusal) -> Caller {
        guard let credential = outer.credential else {
            try checkStrayToken(head)
            return outer
        }
        do throws(AgentCredential.Problem) {
            return .token(try credential.copied(in: head.fields))
        } catch {
            throw Self.twoTokens(error.field)
        }
    }

    /// No token may be in the head of an agent that is known without one.
    func checkStrayToken(_ head: RequestHead) throws(Refusal) {
        do throws(AgentCredential.Problem) {
            _ = try TokenCopies.find(in: head.fields, of: nil, readIn: nil, isEncoded: false)
        } catch {
            throw Self.twoTokens(error.field)
        }
    }
}

extension AgentCredential.Problem {
    /// The field that has another token.
    fileprivate var field: String { if case .ambiguous(let field) = self { field } else { "" } }
}
