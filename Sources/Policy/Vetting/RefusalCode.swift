/// Why a requirement is not paid.
///
/// Raw values are stable: they stand in answers, in the books and in Specs.
///
/// The order is that of the checks, so that the highest code among several entries is the one that came closest.
package enum RefusalCode: String, Sendable, CaseIterable, Comparable {
    /// No entry of the challenge could be read.
    case unreadable = "challenge-unreadable"
    /// The scheme is not one we pay.
    case scheme = "scheme-unsupported"
    /// The network is not in the table.
    case network = "network-unknown"
    /// The payment flow is not one we know.
    case flow = "flow-unknown"
    /// The token is not in the table for that network.
    case asset = "asset-unknown"
    /// The token moves in a way that is not built.
    case transferMethod = "transfer-method-unsupported"
    /// The seller's EIP-712 domain is not the token's.
    case domain = "domain-mismatch"
    /// The payee is malformed, zero, the token or the payer itself.
    case payee = "payee-refused"
    /// The amount is worth more dollars than the books can hold.
    case amount = "amount-out-of-range"
    /// The window is too short for any seller to use.
    case window = "window-too-short"
    /// The wallet's `pay:` list does not name the token.
    case notInPayList = "not-in-pay-list"

    package static func < (left: RefusalCode, right: RefusalCode) -> Bool { left.rank < right.rank }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// One sentence for the agent's developer.
    package var sentence: String {
        switch self {
        case .unreadable: "No entry of the challenge could be read."
        case .scheme: "The seller asks for a payment scheme that Purser does not pay; it pays \"exact\"."
        case .network: "The seller asks for payment on a network that is not in the asset table."
        case .flow: "The seller names a payment flow that Purser does not know."
        case .asset: "The seller asks for a token that is not in the asset table for that network."
        case .transferMethod: "The token can only be paid by a transfer method that Purser does not support."
        case .domain: "The seller's EIP-712 domain is not the one pinned for the token."
        case .payee: "The seller's payee is malformed, zero, the token, or the payer itself."
        case .amount: "The price is out of any range that the books can hold."
        case .window: "The seller allows too short a window for the payment to settle."
        case .notInPayList: "The wallet's pay list does not name this token on this network."
        }
    }
}
