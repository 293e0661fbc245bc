import COpenSSL

/// Why a TLS connection, or the settings for one, failed.
///
/// Every text in here is bounded and comes from the operator's settings, the requested name or libssl's own table of
/// reasons: never from bytes the peer sent.
package enum TLSError: Error, Equatable, Sendable {
    /// A context or a connection could not be set up, for example because a file is missing or unreadable.
    case configuration(String)
    /// The name to verify is neither a host name nor an IP literal.
    case invalidServerName
    /// The server's certificate did not hold for `name`, or that of `a client` for a client.
    case certificateRejected(name: String, fault: TLSCertificateFault)
    /// The peers could not agree, or one broke the protocol, before the handshake was over.
    case handshakeFailed(reason: String)
    /// The connection ended before the handshake did.
    case handshakeInterrupted
    /// The input ended without a close_notify, so the bytes received may not be all the peer sent (RFC 8446, 6.1).
    case truncated
    /// The peer broke the protocol, or sent a fatal alert, after the handshake.
    case protocolViolation(reason: String)
    /// More plaintext was written before the handshake finished than may wait, in bytes.
    case pendingWritesExceeded(limit: Int)

    /// A name for this kind of failure out of a small closed set, fit for a metric label.
    package var label: String {
        switch self {
        case .configuration: "configuration"
        case .invalidServerName: "invalid_server_name"
        case .certificateRejected(_, let fault): fault.label
        case .handshakeFailed: "handshake_failed"
        case .handshakeInterrupted: "handshake_interrupted"
        case .truncated: "truncated"
        case .protocolViolation: "protocol_violation"
        case .pendingWritesExceeded: "pending_writes_exceeded"
        }
    }
}

extension TLSError: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch self {
        case .configuration(let reason): "TLS configuration: \(reason)"
        case .invalidServerName: "not a host name or IP address that a certificate can be checked against"
        case .certificateRejected(let name, let fault): "certificate rejected for \(name): \(fault)"
        case .handshakeFailed(let reason): "TLS handshake failed: \(reason)"
        case .handshakeInterrupted: "connection closed during the TLS handshake"
        case .truncated: "connection closed without a TLS close_notify"
        case .protocolViolation(let reason): "TLS protocol violation: \(reason)"
        case .pendingWritesExceeded(let limit): "more than \(limit) bytes written before the TLS handshake finished"
        }
    }
}

/// What was wrong with a certificate, from the result of the chain's verification.
package enum TLSCertificateFault: Equatable, Sendable, CustomStringConvertible {
    /// None of the subject alternative names matches.
    case wrongName
    /// A certificate of the chain is past its end date.
    case expired
    /// A certificate of the chain is before its start date.
    case notYetValid
    /// The chain is one certificate that signed itself and is not in the trust store.
    case selfSigned
    /// The chain does not lead to a certificate in the trust store.
    case untrustedIssuer
    /// It is not for what it is used for: a server's as a client's, or the other way round.
    case wrongPurpose
    /// The peer sent more certificates than are looked at.
    case chainTooLong
    /// A key of the chain is longer than is verified, or of a kind that is not.
    case keyNotVerified
    /// Anything else, as libcrypto's `X509_V_ERR_*` code.
    case other(code: Int32)

    init(verifyResult: Int) {
        switch Int32(truncatingIfNeeded: verifyResult) {
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: self = .wrongName
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
        case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: self = .selfSigned
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            self = .untrustedIssuer
        case X509_V_ERR_INVALID_PURPOSE: self = .wrongPurpose
        case X509_V_ERR_CERT_CHAIN_TOO_LONG: self = .chainTooLong
        case X509_V_ERR_APPLICATION_VERIFICATION: self = .keyNotVerified
        case let code: self = .other(code: code)
        }
    }

    /// A name for this fault out of a small closed set, fit for a metric label.
    package var label: String {
        switch self {
        case .wrongName: "certificate_wrong_name"
        case .expired: "certificate_expired"
        case .notYetValid: "certificate_not_yet_valid"
        case .selfSigned: "certificate_self_signed"
        case .untrustedIssuer: "certificate_untrusted_issuer"
        case .wrongPurpose: "certificate_wrong_purpose"
        case .chainTooLong: "certificate_chain_too_long"
        case .keyNotVerified: "certificate_key_not_verified"
        case .other: "certificate_other"
        }
    }

    /// A few words for people.
    package var description: String {
        switch self {
        case .wrongName: "it is for another name"
        case .expired: "it has expired"
        case .notYetValid: "it is not valid yet"
        case .selfSigned: "it is self-signed"
        case .untrustedIssuer: "its issuer is not trusted"
        case .wrongPurpose: "it is for another purpose"
        case .chainTooLong: "its chain is longer than \(PeerChain.maximumCertificates) certificates"
        case .keyNotVerified:
            "a key is neither RSA of at most \(PeerChain.maximumRSABits) bits, Ed25519, P-256, P-384 nor P-521"
        case .other(let code): unsafe String(cString: X509_verify_cert_error_string(Int(code)))
        }
    }
}

/// Empties this thread's libssl error queue and says what its oldest entry was about.
///
/// The oldest is the cause; the later ones are the way back up.
func takeOpenSSLFailure() -> (code: Int32, reason: String) {
    let packed = ERR_get_error()
    defer { ERR_clear_error() }
    guard packed != 0, let text = unsafe ERR_reason_error_string(packed) else {
        return (0, "no reason given")
    }
    return unsafe (ERR_GET_REASON(packed), String(cString: text))
}
