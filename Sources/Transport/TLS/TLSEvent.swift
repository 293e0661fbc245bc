/// User inbound events that ``TLSHandler`` fires towards the application.
package enum TLSEvent: Equatable, Sendable {
    /// The handshake is done, the peer is who it should be, and writes made so far are on their way.
    case handshakeCompleted(TLSHandshakeSummary)
    /// The peer said it will send nothing more. Arrives after the last byte and before the channel closes; an end of
    /// input without it arrives as ``TLSError/truncated``.
    case closeNotify
}

/// A user outbound event that closes a TLS connection without a close_notify: what was sent is not all there was to be.
package struct TLSCutOff: Sendable {
    /// The event says no more than that.
    package init() {}
}

/// What a finished handshake settled.
package struct TLSHandshakeSummary: Equatable, Sendable {
    /// The application protocol both sides agreed on, or nil if the peer ignored the question.
    package let alpn: String?
    /// `TLSv1.2` or `TLSv1.3`.
    package let protocolVersion: String
    /// The cipher suite in libssl's spelling, for example `TLS_AES_128_GCM_SHA256`.
    package let cipherSuite: String
    /// Whether an earlier session was resumed instead of a full handshake.
    package let isResumed: Bool
    /// The certificate of a client that had to show one; nil on every other connection.
    package var peer: PeerCertificate?
}
