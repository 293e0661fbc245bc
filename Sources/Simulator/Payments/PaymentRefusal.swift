import X402

/// Why a payment is not taken.
///
/// Source: x402 core specification, section 9, and the reference facilitators.
enum PaymentRefusal: Error, Equatable, CaseIterable {
    /// The header is not base64 of a payment, or a member is missing, unknown, null or of the wrong type.
    case malformed
    /// The payment speaks another version than the challenge.
    case version
    /// `accepted` (version 1: scheme and network) is nothing that was offered.
    case noMatchingRequirements
    /// An extension came back changed.
    case extensionEcho
    /// A Permit2 transfer is for another spender than the scheme's proxy.
    case spender
    /// A Permit2 transfer is of another token.
    case token
    /// An `upto` payment lets another account settle.
    case facilitator
    /// The payee is not the gateway's.
    case recipient
    /// The value is not exactly the price.
    case value
    /// The signature is not the payer's over this transfer in the token's domain.
    case signature
    /// The window has not begun.
    case tooEarly
    /// The window has ended, or ends too soon to settle.
    case tooLate
    /// The nonce paid for something else.
    case nonceUsed
    /// The payer holds less than the price.
    case balance
    /// The payment identifier belongs to another payment.
    case identifierReused

    /// The reason on a route of that version and method.
    func reason(_ version: Quote.Version, _ method: SaleMethod) -> String {
        (method.transfer == .permit2 ? permit2Reason : nil) ?? reason(version)
    }

    /// What Permit2's settlement calls it; nil for what concerns no transfer.
    private var permit2Reason: String? {
        switch self {
        case .recipient: "invalid_permit2_recipient_mismatch"
        case .value: "permit2_amount_mismatch"
        case .signature: "invalid_permit2_signature"
        case .tooEarly: "permit2_not_yet_valid"
        case .tooLate: "permit2_deadline_expired"
        case .nonceUsed: "permit2_invalid_nonce"
        case .balance: "permit2_insufficient_balance"
        default: nil
        }
    }

    private func reason(_ version: Quote.Version) -> String {
        switch self {
        case .spender: "invalid_permit2_spender"
        case .token: "permit2_token_mismatch"
        case .facilitator: "upto_facilitator_mismatch"
        case .malformed: "invalid_payload"
        case .version: "invalid_x402_version"
        case .noMatchingRequirements: "No matching payment requirements"
        case .extensionEcho: "extension_echo_mismatch"
        case .recipient: "invalid_exact_evm_payload_recipient_mismatch"
        case .value where version == .one: "invalid_exact_evm_payload_authorization_value"
        case .value: "invalid_exact_evm_payload_authorization_value_mismatch"
        case .signature: "invalid_exact_evm_payload_signature"
        case .tooEarly: "invalid_exact_evm_payload_authorization_valid_after"
        case .tooLate: "invalid_exact_evm_payload_authorization_valid_before"
        case .nonceUsed: "invalid_exact_evm_nonce_already_used"
        case .balance: "invalid_exact_evm_insufficient_balance"
        case .identifierReused: "payment_identifier_reused"
        }
    }

    /// The status of the answer: 402 asks for another payment, 400 and 409 for another request.
    var status: Int {
        switch self {
        case .malformed: 400
        case .identifierReused: 409
        default: 402
        }
    }
}
