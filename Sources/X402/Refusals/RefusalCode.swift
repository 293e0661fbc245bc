/// Why a requirement is not paid.
///
/// Raw values are stable: they stand in answers, in the books and in Specs.
///
/// The order is that of the checks, so that the highest code among several entries is the one that came closest.
package enum RefusalCode: String, Error, Sendable, CaseIterable, Comparable {
    /// No entry of the challenge could be read.
    case unreadable = "challenge-unreadable"
    /// The method of the request is one that must not cost anything.
    case requestMethod = "method-not-paid"
    /// The seller's clock is too far from ours for any window to be right.
    case clock = "clock"
    /// The seller requires a payment identifier in a way that none can be given.
    case identifier = "identifier-impossible"
    /// The scheme is not one we pay.
    case scheme = "scheme-unsupported"
    /// The network is not in the table.
    case network = "network-unknown"
    /// The payment flow is not one we know.
    case flow = "flow-unknown"
    /// The token is not in the table for that network.
    case asset = "asset-unknown"
    /// The token cannot be moved in the way that the seller asks for.
    case transferMethod = "transfer-method-unsupported"
    /// The seller's EIP-712 domain is not the token's.
    case domain = "domain-mismatch"
    /// The seller counts the token in other decimals than the contract.
    case decimals = "decimals-mismatch"
    /// The Permit2 spender is not one that may be signed for.
    case spender = "spender-refused"
    /// An `upto` entry does not say who settles.
    case facilitator = "facilitator-missing"
    /// The seller dictates a nonce or a window that cannot be accepted.
    case dictated = "dictated-terms-refused"
    /// The payee is malformed, zero, the token or the payer itself.
    case payee = "payee-refused"
    /// The amount is worth more dollars than the books can hold.
    case amount = "amount-out-of-range"
    /// The window is too short for any seller to use.
    case window = "window-too-short"
    /// The header line that would carry the payment is longer than servers take.
    case tooLong = "challenge-too-long"
    /// The wallet's `pay:` list does not name the token.
    case notInPayList = "not-in-pay-list"
    /// The payee is not one of those that the gateway is pinned to.
    case payeeNotPinned = "payee-not-pinned"
    /// The payee is another than before, and the gateway is set to refuse that.
    case payeeChanged = "payee-changed"
    /// The price is higher than before by more than the gateway's limit.
    case priceRise = "price-rise"
    /// The price is above what one payment may cost.
    case tooLarge = "payment-too-large"
    /// A rule of the policy refuses the payment.
    case policy = "policy-refused"
    /// A person has to approve the payment.
    case approval = "approval-required"

    package static func < (left: RefusalCode, right: RefusalCode) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// One sentence for the agent's developer.
    package var sentence: String {
        switch self {
        case .unreadable: "No entry of the challenge could be read."
        case .requestMethod: "Only GET, POST, PUT, PATCH and DELETE requests are paid for."
        case .clock: "The seller's Date header is more than five minutes away from the local clock."
        case .identifier: "The seller requires a payment identifier in a form that cannot be given."
        case .scheme: "The seller asks for a payment scheme that Purser does not pay; it pays \"exact\" and \"upto\"."
        case .network: "The seller asks for payment on a network that is not in the asset table."
        case .flow: "The seller names a payment flow that Purser does not know."
        case .asset: "The seller asks for a token that is not in the asset table for that network."
        case .transferMethod: "The token cannot be paid by the transfer method that the seller asks for."
        case .domain: "The seller's EIP-712 domain is not the one pinned for the token."
        case .decimals: "The seller states other decimals for the token than the asset table."
        case .spender: "The seller names a Permit2 spender that the gateway's configuration does not allow."
        case .facilitator: "The seller asks for a maximum price (\"upto\") and does not name who may settle it."
        case .dictated: "The seller dictates a nonce or a window for the payment that cannot be accepted."
        case .payee: "The seller's payee is malformed, zero, the token, or the payer itself."
        case .amount: "The price is larger than the books can hold."
        case .window: "The seller allows too short a window for the payment to settle."
        case .tooLong:
            """
            The seller's entry is so long that the header of a payment would have more than 6 KiB, which servers refuse. \
            Where the seller is known to compare only what is needed, an operator can set `trim-entry: true`.
            """
        case .notInPayList: "The wallet's pay list does not name this token on this network."
        case .payeeNotPinned: "The payee is not one of those that the gateway's configuration pins."
        case .payeeChanged: "The payee differs from earlier payments, and this gateway is set to `new-payee: refuse`."
        case .priceRise:
            """
            The price has risen above the gateway's limit over what was paid before, or it cannot be compared, since the \
            model of the request is unknown.
            """
        case .tooLarge: "The price is above what one payment to this gateway may cost."
        case .policy: "A rule of the policy refuses this payment."
        case .approval: "A rule asks for a person's approval, and there is none."
        }
    }
}
