import NIOCore
import Primitives
import Transport

/// Calls one endpoint, a batch at a time.
struct JSONRPCEndpoint: Sendable {
    /// Which endpoint.
    let endpoint: ChainEndpoint
    let client: BoundedClient
    let limits: ChainLimits

    /// The responses to a batch in the order of its calls; `deadline` bounds it further than the limits do.
    ///
    /// Throws what was wrong with the answer as a whole.
    func call(
        _ calls: [JSONRPCCall], by deadline: NIODeadline
    ) async throws(EndpointFault.Reason) -> [Result<JSONValue, EndpointFault.Reason>] {
        let request = BoundedRequest(
            origin: endpoint.origin, method: "POST", target: endpoint.target,
            fields: [
                ("content-type", "application/json"), ("accept", "application/json"), ("user-agent", "purser"),
            ],
            body: JSONRPCBatch.encode(calls), connectTimeout: limits.connect,
            deadline: min(.now() + limits.answer, deadline), answerLimit: limits.answerBytes)
        let body: [UInt8]
        do throws(BoundedFailure) {
            body = try await client.answer(to: request)
        } catch {
            throw reason(error)
        }
        do throws(JSONRPCFault) {
            return try JSONRPCBatch.decode(body, count: calls.count).map { response in
                response.mapError { refusal in
                    // Some servers quote the key that they refuse: it goes before the text is cut.
                    let text = JSONRPCBatch.shown(endpoint.redacting(refusal.message))
                    return .refused(code: refusal.code, text: text)
                }
            }
        } catch {
            throw .malformed(error)
        }
    }

    private func reason(_ failure: BoundedFailure) -> EndpointFault.Reason {
        switch failure {
        case .upstream(let failure): .unreachable(failure)
        case .timedOut: .timedOut
        case .cancelled: .cancelled
        case .status(let status): .status(status)
        case .tooLarge: .tooLarge(limit: limits.answerBytes)
        case .unframed: .unframed
        }
    }
}
