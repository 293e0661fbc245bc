/// A reader of hostile input with what must hold of everything that it reads.
///
/// A crash, a hang or a broken invariant is a finding; refusing an input never is. The raw value is the folder of its
/// corpus.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// Base 64 in all spellings.
    case base64
    /// The JSON reader.
    case json
    /// The text in a header value.
    case header
    /// One entry of `accepts`.
    case requirement
    /// A challenge, from header or body.
    case challenge
    /// A seller's report of settlement.
    case settlement
    /// Heads of requests and answers.
    case head
    /// The chunked coding.
    case chunks
    /// Answers that come by HTTP/2.
    case http2
    /// WebSocket frames of an agent.
    case websocket
    /// From a challenge to what would be signed.
    case gate
    /// The model that a request names.
    case model
    /// The body of a 402 in its codings.
    case codings

    /// Reads an input and holds the result against the invariants; throws the first that is broken.
    package func run(_ input: [UInt8]) throws(BrokenInvariant) {
        switch self {
        case .base64: try Base64Invariants.check(input)
        case .json: try JSONInvariants.check(input)
        case .header: try HeaderInvariants.check(input)
        case .requirement: try ChallengeInvariants.check(entry: input)
        case .challenge: try ChallengeInvariants.check(challenge: input)
        case .settlement: try HeaderInvariants.check(settlement: input)
        case .head: try HeadInvariants.check(input)
        case .chunks: try ChunkInvariants.check(input)
        case .http2: try HTTP2Invariants.check(input)
        case .websocket: try WebSocketInvariants.check(input)
        case .gate: try GateInvariants.check(input)
        case .model: try ModelInvariants.check(input)
        case .codings: try CodingInvariants.check(input)
        }
    }
}

/// Something that must always hold, and did not.
package struct BrokenInvariant: Error, CustomStringConvertible {
    /// What should have held.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Throws unless a condition holds.
func hold(_ condition: Bool, _ sentence: @autoclosure () -> String) throws(BrokenInvariant) {
    guard condition else { throw BrokenInvariant(sentence()) }
}

/// Throws unless there is a value.
func need<Value>(_ value: Value?, _ sentence: @autoclosure () -> String) throws(BrokenInvariant) -> Value {
    guard let value else { throw BrokenInvariant(sentence()) }
    return value
}
