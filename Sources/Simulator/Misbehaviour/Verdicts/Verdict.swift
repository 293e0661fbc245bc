import Ethereum
import Primitives
import X402

/// Whether what a payer sent for a case is what a correct payer sends.
package struct Verdict: Sendable {
    /// The case.
    package let description: CaseDescription
    /// What came.
    let record: CaseRecord
    /// Why the payer failed; nil when it passed.
    package let fault: String?

    /// Whether the payer passed.
    package var passes: Bool { fault == nil }
    /// How many payment headers came.
    package var sends: Int { record.paid }
    /// How many requests came with a signed statement of who asks.
    package var signIns: Int { record.signIns }
    /// The authorizations, in the order they came.
    package var authorizations: [ReceivedAuthorization] { record.authorizations }
    /// How many different authorizations came: what could be settled.
    package var distinctAuthorizations: Int { Self.distinct(record) }

    /// Judges a payer by what came.
    init(on description: CaseDescription, _ record: CaseRecord) {
        self.description = description
        self.record = record
        let faults = ([description.expected] + description.alternatives).map {
            Self.fault(in: record, under: $0, of: description)
        }
        fault = faults.contains(nil) ? nil : faults.first ?? nil
    }

    private static func distinct(_ record: CaseRecord) -> Int {
        Set(record.authorizations.map { $0.signed?.nonce ?? $0.digest }).count
    }

    private static func fault(
        in record: CaseRecord, under expected: ExpectedOutcome, of description: CaseDescription
    ) -> String? {
        guard record.unpaid + record.paid > 0 else { return "the case was not visited" }
        guard record.signIns == 0 || description.maySignIn else { return "a signed statement of who the payer is left" }
        guard expected.isSigned else {
            return record.paid == 0 ? nil : "\(record.paid) payments came, and none should"
        }
        guard record.paid > 0 else { return "no authorization came" }
        guard record.doublyPaid == 0 else { return "a request carried two payment headers" }
        let distinct = distinct(record)
        guard distinct == description.authorizations else {
            return "\(distinct) different authorizations came, and \(description.authorizations) should"
        }
        let most = 2 * max(1, record.unpaid)
        guard record.paid <= most else { return "the same bytes came \(record.paid) times, and at most \(most) should" }
        for authorization in record.authorizations {
            if let fault = fault(of: authorization, description) { return fault }
        }
        return nil
    }

    private static func fault(
        of authorization: ReceivedAuthorization, _ description: CaseDescription
    ) -> String? {
        let terms = description.terms
        guard !authorization.isElsewhere else { return "an authorization followed a redirect to another origin" }
        guard let signed = authorization.signed else { return "an authorization could not be read" }
        guard signed.payTo == terms.payTo else { return "an authorization pays \(signed.payTo), not \(terms.payTo)" }
        guard signed.amount == terms.amount else {
            return "an authorization is over \(signed.amount), not \(terms.amount)"
        }
        guard signed.spender.map(spenders.contains) ?? true else {
            return "an authorization lets a stranger spend: \(signed.spender?.checksummed ?? "")"
        }
        guard signed.nonce != .zero else { return "an authorization has the nonce zero" }
        guard signed.isGenuine else {
            return "an authorization is not signed by its payer for \(terms.asset) on \(terms.network)"
        }
        let latest = authorization.receivedAt.adding(seconds: description.windowEndsWithin).seconds
        guard signed.validBefore <= UInt64(max(0, latest)) else {
            return "an authorization is valid until \(signed.validBefore), later than \(latest)"
        }
        guard !description.needsIdentifier || isIdentifier(signed.identifier) else {
            return "an authorization lacks the payment identifier that was required"
        }
        return nil
    }

    /// The contracts that enforce the payee.
    private static let spenders = [ExactPermit2.proxy, UptoPermit2.proxy]

    /// x402 extension `payment-identifier`: 16 to 128 characters of `a`–`z`, `A`–`Z`, digits, `_` and `-`.
    private static func isIdentifier(_ text: String?) -> Bool {
        guard let text, (16...128).contains(text.utf8.count) else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2d: true
            default: false
            }
        }
    }

    /// Writes the verdict, without anything that could be settled.
    func write(to text: inout JSONText) {
        text.object { verdict in
            verdict.field("case", description.name)
            verdict.array("expected") { outcomes in
                for outcome in [description.expected] + description.alternatives { outcomes.element(outcome.rawValue) }
            }
            verdict.field("pass", passes)
            verdict.field("reason", optional: fault)
            verdict.field("unpaidRequests", Int64(record.unpaid))
            verdict.field("paidRequests", Int64(record.paid))
            verdict.field("distinctAuthorizations", Int64(distinctAuthorizations))
            verdict.array("authorizations") { list in
                for authorization in record.authorizations { Self.write(authorization, to: &list) }
            }
        }
    }

    private static func write(_ authorization: ReceivedAuthorization, to text: inout JSONText) {
        text.object { entry in
            entry.field("field", authorization.field)
            entry.field("elsewhere", authorization.isElsewhere)
            guard let signed = authorization.signed else { return entry.field("readable", false) }
            entry.field("readable", true)
            entry.field("genuine", signed.isGenuine)
            entry.field("payer", signed.payer.checksummed)
            entry.field("payTo", signed.payTo.checksummed)
            entry.field("amount", signed.amount.description)
            entry.field("nonce", signed.nonce.description)
            entry.field("validBefore", String(signed.validBefore))
            entry.field("spender", optional: signed.spender?.checksummed)
            entry.field("identifier", optional: signed.identifier)
        }
    }
}
