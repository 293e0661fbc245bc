/// Why an upstream did not answer, as far as can be told from outside.
package enum UpstreamFailure: Error, Sendable, Equatable {
    /// No connection came about; nothing was sent.
    case connect(String)
    /// No connection came about in time; nothing was sent.
    case connectTimeout
    /// It could not be reached several times in a row and is not tried now; nothing was sent.
    case resting(seconds: Int64)
    /// No address of the host may be dialled; nothing was sent.
    case addressRefused
    /// As many name look-ups of the same agent wait as may; nothing was sent.
    case tooManyLookups
    /// The TLS handshake failed; nothing was sent.
    case tls(String)
    /// The connection ended before the first byte of the response.
    case closedBeforeResponse
    /// The connection ended in the middle of the response.
    case truncated
    /// The gateway said that it did not look at the request, which may be sent again whatever it asks for.
    case notProcessed
    /// The response is not HTTP that can be trusted.
    case malformed(HTTP1Error)
    /// The response switches protocols although nobody asked for it.
    case unexpectedUpgrade

    /// Whether not a byte of a response came.
    package var isBeforeAnyByte: Bool { self == .closedBeforeResponse || self == .notProcessed }

    /// One sentence for the agent's developer.
    package var sentence: String {
        switch self {
        case .connect(let reason): "The gateway could not be reached: \(reason)."
        case .connectTimeout: "The gateway could not be reached in time."
        case .resting(let seconds):
            "The gateway could not be reached several times in a row; it is tried again in \(seconds) s."
        case .addressRefused: "The host has no address that may be dialled."
        case .tooManyLookups: "Too many name look-ups of the same agent are waiting for an answer."
        case .tls(let reason): "The TLS connection to the gateway failed: \(reason)."
        case .closedBeforeResponse: "The gateway closed the connection without an answer."
        case .truncated: "The gateway's answer broke off."
        case .notProcessed: "The gateway turned the request away unread."
        case .malformed: "The gateway's answer is not valid HTTP."
        case .unexpectedUpgrade: "The gateway switched protocols without being asked."
        }
    }
}
