import Ledger
import Payments
import Primitives
import SystemCrypto
import Transport

/// What two requests with one fingerprint must have in common for the answer to one to be the answer to the other.
///
/// The fingerprint knows agent, gateway, method, URL and body. An answer may depend on every other field as well.
struct RepetitionIdentity: Equatable, Sendable {
    /// When the agent was added: another one may have its name by now.
    let agentAddedAt: Timestamp
    /// The gateway's entry, its key included.
    let terms: GatewayTerms
    /// SHA-256 of the agent's Idempotency-Key, when it sent one.
    let key: Bytes32?
    /// SHA-256 of the fields that bear on the answer.
    let fields: Bytes32

    init(_ admitted: AdmittedRequest, of claim: AgentClaim) {
        agentAddedAt = claim.addedAt
        terms = admitted.route.gateway.terms
        key = admitted.idempotencyKey
        fields = Self.hash(admitted)
    }

    /// Hashes names in lower case and values, sorted by name; fields of one name in their order.
    private static func hash(_ admitted: AdmittedRequest) -> Bytes32 {
        let section = admitted.head.fields
        let options = section.connectionOptions
        let replaced = admitted.route.gateway.credential.map {
            $0.field == .authorization ? FieldName.authorization : .xAPIKey
        }
        var fields: [(name: String, index: Int, value: [UInt8])] = []
        let copies = admitted.caller.copies
        for (index, line) in section.lines.enumerated() {
            switch line.name {
            // Framing, the agent's token, what the gateway's own key takes the place of, and what is ours.
            case .host, .expect, .contentLength, .idempotencyKey, .purser, .purserToken, .purserPrice,
                .purserVia,
                admitted.caller.field, replaced:
                continue
            default: if line.name.isHopByHop { continue }
            }
            let name = section.name(of: line)
            guard options?.contains(name) != true, !RepetitionFields.isAside(name) else { continue }
            let rest = copies.isEmpty ? nil : copies.rest(of: index)
            fields.append((name, index, rest ?? section.value(line)))
        }
        fields.sort { ($0.name, $0.index) < ($1.name, $1.index) }
        var bytes: [UInt8] = []
        for field in fields {
            bytes += field.name.utf8
            bytes.append(UInt8(ascii: ":"))
            bytes += field.value
            // No field holds a line's end.
            bytes.append(0x0a)
        }
        return SHA256.hash(bytes)
    }
}

/// Fields that differ between a request and its repetition, and on which no answer depends.
enum RepetitionFields {
    /// Tracing: W3C Trace Context and Baggage, B3, and what vendors use; identifiers of a single try.
    private static let tracing: Set<String> = [
        "traceparent", "tracestate", "baggage", "b3", "x-request-id", "x-correlation-id", "x-trace-id", "x-span-id",
        "x-client-request-id", "x-client-trace-id", "x-ms-client-request-id", "x-ms-request-id", "request-id",
        "correlation-id", "request-context", "correlation-context", "uber-trace-id", "x-cloud-trace-context",
        "x-amzn-trace-id", "x-ot-span-context", "x-trace-context", "grpc-trace-bin", "elastic-apm-traceparent",
        "sentry-trace", "newrelic", "x-newrelic-id", "x-newrelic-transaction", "x-dynatrace", "x-amzn-requestid",
        "x-vercel-id", "x-request-start", "x-session-trace-id",
    ]
    private static let tracingPrefixes = [
        "x-b3-", "x-datadog-", "x-instana-", "ot-tracer-", "uberctx-", "x-wallarm-trace-", "sw8",
    ]
    /// How often, or after which wait, a request is repeated.
    private static let retries: Set<String> = [
        "x-stainless-retry-count", "x-retry-count", "x-retry", "x-retries", "x-retry-attempt", "x-retry-after-attempt",
        "x-attempt", "x-attempt-count", "x-request-attempt", "retry-count", "retry-attempt", "x-ms-retry-count",
        "amz-sdk-request", "grpc-previous-rpc-attempts", "x-envoy-attempt-count", "x-litellm-retry-count",
        "x-litellm-num-retries",
    ]

    /// Whether a field, by its name in lower case, is left out of the comparison.
    static func isAside(_ name: String) -> Bool {
        tracing.contains(name) || retries.contains(name) || tracingPrefixes.contains { name.hasPrefix($0) }
    }
}
