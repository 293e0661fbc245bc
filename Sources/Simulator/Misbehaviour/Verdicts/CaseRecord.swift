import Ethereum

/// What has come for one case so far.
struct CaseRecord: Sendable, Equatable {
    /// The most authorizations of one case that are kept; what comes behind them is only counted.
    static let maximumKept = 256

    /// Requests without a payment, other than those at the second origin.
    private(set) var unpaid = 0
    /// Requests with a payment.
    private(set) var paid = 0
    /// Requests with more than one payment header.
    private(set) var doublyPaid = 0
    /// Requests that carried a signed statement of who the payer is.
    private(set) var signIns = 0
    /// The authorizations in the order they came, at most ``maximumKept``.
    private(set) var authorizations: [ReceivedAuthorization] = []
    /// The payer, once an authorization told it.
    private(set) var payer: Address?

    /// Adds one request.
    mutating func add(_ received: [ReceivedAuthorization], signsIn: Bool, isElsewhere: Bool) {
        if signsIn { signIns += 1 }
        guard !received.isEmpty else {
            if !isElsewhere { unpaid += 1 }
            return
        }
        paid += 1
        if received.count > 1 { doublyPaid += 1 }
        for authorization in received {
            if payer == nil { payer = authorization.signed?.payer }
            if authorizations.count < Self.maximumKept { authorizations.append(authorization) }
        }
    }
}
