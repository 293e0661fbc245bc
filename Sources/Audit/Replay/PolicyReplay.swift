package import Ledger
package import Policy
package import Primitives
import X402

/// What a policy would have decided about the payments of the past, against what was decided.
///
/// What was paid before is worked out from the payments themselves, so a rule sees at each payment what the gate could
/// have seen then. Caps and the gateways' own checks are not decided anew.
package struct PolicyReplay: Sendable {
    /// The most differences that are told.
    package static let maximumDifferences = 100
    /// The most lines of prices that are remembered on the way; what is beyond counts as never paid before.
    static let maximumPrices = 100_000

    /// A payment that would have been decided otherwise.
    package struct Difference: Sendable, Equatable {
        /// The payment.
        package let payment: PaymentRecord
        /// What was decided then.
        package let before: PolicyOutcome
        /// What would be decided.
        package let after: PolicyVerdict
    }

    /// How many payments were decided how, then.
    package private(set) var before: [PolicyOutcome: Int64] = [:]
    /// How many would be decided how.
    package private(set) var after: [PolicyOutcome: Int64] = [:]
    /// How many would be decided otherwise.
    package private(set) var differing: Int64 = 0
    /// The first of them, at most ``maximumDifferences``.
    package private(set) var differences: [Difference] = []
    /// How many payments are left out: those that the gate refused by its own checks, and those of which the books no
    /// longer know the request or the terms.
    package private(set) var leftOut: Int64 = 0

    /// How many of those that were decided once more have an unknown model.
    package private(set) var unknownModel: Int64 = 0

    /// How many refusals were counted and not booked one by one, so that nothing is known of them but agent, code and time.
    package private(set) var counted: Int64 = 0

    private var payees: [PayeeKey: Set<String>] = [:]
    private var prices: [PriceKey: Dollars] = [:]

    private struct PayeeKey: Hashable {
        let host: String
        let asset: String
    }

    private struct PriceKey: Hashable {
        let seller: SellerKey
        let asset: String
    }

    /// Decides the payments reserved or refused since a time once more, all of them without one.
    package init(
        _ rules: PolicyRules, since: Timestamp?, in snapshot: any LedgerSnapshot
    ) throws(LedgerError) {
        // What came before is walked through too: it is what later payments are new or dear against.
        let first = try since.map { (time) throws(LedgerError) in try snapshot.firstPayment(since: time) } ?? 1
        try snapshot.forEachPayment { (payment) throws(LedgerError) in
            take(payment.record, under: rules, counts: payment.number >= first)
        }
        counted = try snapshot.countedRefusals(since: since).reduce(0) { $0 + $1.counted.count }
    }

    private mutating func take(_ record: PaymentRecord, under rules: PolicyRules, counts: Bool) {
        let subject = subject(of: record)
        if counts {
            if let subject, let outcome = Self.outcome(of: record) {
                compare(record, outcome, rules.verdict(on: subject))
            } else {
                leftOut += 1
            }
        }
        if record.state != .refused { learn(record) }
    }

    private mutating func compare(_ record: PaymentRecord, _ outcome: PolicyOutcome, _ verdict: PolicyVerdict) {
        if record.purpose.request?.model == .unknown { unknownModel += 1 }
        before[outcome, default: 0] += 1
        after[verdict.outcome, default: 0] += 1
        guard verdict.outcome != outcome else { return }
        differing += 1
        guard differences.count < Self.maximumDifferences else { return }
        differences.append(Difference(payment: record, before: outcome, after: verdict))
    }

    /// What was decided: whatever reached the books' caps had been approved; nil for what the gate's own checks refused.
    private static func outcome(of record: PaymentRecord) -> PolicyOutcome? {
        guard record.state == .refused else { return .approve }
        guard let reason = record.evidence.reason else { return nil }
        return switch RefusalCode(rawValue: reason) {
        case .policy: .refuse
        case .approval: .ask
        // Without a cap the policy is not asked.
        case nil where reason == ReservationRefusal.noCap.code: nil
        case nil: .approve
        default: nil
        }
    }

    private func subject(of record: PaymentRecord) -> PolicySubject? {
        guard let terms = record.terms, let seller = seller(of: record), let request = record.purpose.request else {
            return nil
        }
        let purpose = record.purpose
        let payees = payees[PayeeKey(host: purpose.host, asset: terms.assetName)]
        return PolicySubject(
            request: GateRequest(
                agent: purpose.agent, team: purpose.team, gateway: purpose.gateway, host: purpose.host,
                method: request.method, path: request.path, model: request.model),
            scheme: terms.scheme, paymentMethod: terms.method, network: terms.network, symbol: terms.symbol,
            asset: terms.asset, payee: terms.payTo, amount: terms.amount, value: terms.value,
            window: max(0, terms.validBefore - record.reservedAt.seconds),
            payeeIsNew: payees?.contains(terms.payTo) != true,
            priceRatio: PolicySubject.ratio(
                of: terms.value, to: prices[PriceKey(seller: seller, asset: terms.assetName)], model: request.model),
            time: record.reservedAt)
    }

    private func seller(of record: PaymentRecord) -> SellerKey? {
        record.purpose.request.map { request in
            SellerKey(
                agent: record.purpose.agent, host: record.purpose.host, method: request.method, path: request.path,
                model: request.model)
        }
    }

    private mutating func learn(_ record: PaymentRecord) {
        guard let terms = record.terms else { return }
        let payee = PayeeKey(host: record.purpose.host, asset: terms.assetName)
        if payees[payee, default: []].count < Recollection.maximumPayees {
            payees[payee, default: []].insert(terms.payTo)
        }
        guard let seller = seller(of: record), seller.remembersPrices else { return }
        let price = PriceKey(seller: seller, asset: terms.assetName)
        if let known = prices[price] {
            prices[price] = max(known, terms.value)
        } else if prices.count < Self.maximumPrices {
            prices[price] = terms.value
        }
    }
}
