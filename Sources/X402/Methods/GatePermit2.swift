import Ethereum
import Primitives

/// Gate's variant of `exact` by Permit2: its own settlement contract, and a seller that may dictate nonce and window.
///
/// The contract behind another spender may not enforce the payee: with this signature it can move the amount once, to
/// anybody. So the variant is off, and the spender must stand in the configuration.
package struct GatePermit2: PaymentMethod {
    package let name = "exact-permit2-gate"
    package let scheme = "exact"
    package let keeper = NonceKeeper.permit2

    /// Makes the method.
    package init() {}

    package func claims(_ entry: PaymentRequirement) -> Bool {
        entry.extra.assetTransferMethod == "permit2"
            && (Self.dictates(entry)
                || entry.extra.names(otherThan: ExactPermit2.proxy, as: .spender, .permit2Spender))
    }

    /// Whether an entry fixes what payers choose for themselves.
    static func dictates(_ entry: PaymentRequirement) -> Bool {
        [PaymentRequirement.Extra.Key.permitNonce, .nonce, .deadline, .validAfter].contains { entry.extra[$0] != nil }
    }

    package func check(
        _ entry: PaymentRequirement, token: Asset, under rules: MethodRules
    ) throws(RefusalCode) -> DictatedTerms {
        try entry.checkPermit2(rules)
        guard let spender = try entry.extra.spender(.spender, .permit2Spender) else { throw .spender }
        guard rules.profiles.contains(.gate), rules.spenders.contains(spender) else { throw .spender }
        return try dictated(entry)
    }

    package func authorization(of order: PaymentOrder) -> (any PaymentAuthorization)? {
        guard let spender = try? order.extra.spender(.spender, .permit2Spender) else { return nil }
        return Permit2Authorization(of: order, spender: spender) { .exact(to: $0, validAfter: $1) }
    }

    /// A nonce of zero is what a seller sends that chose none: the first payment would be the last.
    private func dictated(_ entry: PaymentRequirement) throws(RefusalCode) -> DictatedTerms {
        var terms = DictatedTerms()
        if let text = entry.extra[.permitNonce] ?? entry.extra[.nonce] {
            guard let nonce = try? UInt256(decimal: text), !nonce.isZero else { throw .dictated }
            terms.nonce = nonce.bigEndianBytes
        }
        if let text = entry.extra[.deadline] {
            guard let deadline = Self.time(text) else { throw .dictated }
            terms.validBefore = deadline + 1
        }
        if let text = entry.extra[.validAfter] {
            guard let time = Self.time(text) else { throw .dictated }
            terms.validAfter = time - 1
        }
        return terms
    }

    /// Unix seconds below the year 5138; `validAfter` may be zero.
    private static func time(_ text: String) -> Int64? {
        guard text.utf8.count <= 11, text.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
        return Int64(text)
    }
}
