import Policy

/// The operator's rules that a reload replaces: the policy, and what each gateway's entry says.
struct RulesInForce: Sendable {
    /// The policy; nil where there is none.
    let policy: PolicySnapshot?
    /// The gateways' entries by name; nil where no entry ever changes.
    let gateways: [String: GatewayTerms]?

    /// Whether a request was admitted under the entry that its gateway has now.
    func admit(_ request: PaymentRequest) -> Bool {
        guard let gateways else { return true }
        return gateways[request.gateway] == request.terms
    }
}
