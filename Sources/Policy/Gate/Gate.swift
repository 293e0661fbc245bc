package import Ethereum
package import Primitives
package import X402

/// The one door to the signer: from a challenge, a snapshot of the rules, a wallet and a clock to a payment whose every
/// byte is fixed, or to a refusal with its reason.
///
/// Pure: the same inputs give the same answer.
package struct Gate: Sendable {
    /// The shortest window that is signed: verifiers want six seconds ahead, and settlement needs some.
    package static let minimumValidity: Int64 = 10
    /// How far back the window begins, so that a slow chain or a fast clock does not make a payment invalid.
    ///
    /// Never further than the window may reach forward: a short one is short on both sides.
    package static let backdating: Int64 = 600
    /// The window when the seller names none.
    package static let defaultValidity: Int64 = 300

    let table: AssetTable
    let methods: PaymentMethods

    /// Makes a gate over the pinned tokens and the methods that are built.
    package init(table: AssetTable, methods: PaymentMethods = .standard) {
        self.table = table
        self.methods = methods
    }

    /// Everything that a decision is made from, besides the challenge.
    package struct Context: Sendable {
        /// What is paid for.
        package var request: GateRequest
        /// What the gateway's configuration says.
        package var rules: GateRules
        /// The wallet's address.
        package var payer: Address
        /// The wallet's `pay:` list, in order of preference.
        package var payRules: [PayRule]
        /// What was paid before.
        package var history: SellerHistory
        /// The clocks.
        package var clock: GateClock
        /// 32 bytes that no earlier payment of the wallet has.
        package var nonce: Bytes32
        /// The operator's rules; nil where there are none.
        package var policy: PolicySnapshot?

        /// Makes a context.
        package init(
            request: GateRequest, rules: GateRules, payer: Address, payRules: [PayRule],
            history: SellerHistory = .none, clock: GateClock, nonce: Bytes32, policy: PolicySnapshot? = nil
        ) {
            self.request = request
            self.rules = rules
            self.payer = payer
            self.payRules = payRules
            self.history = history
            self.clock = clock
            self.nonce = nonce
            self.policy = policy
        }
    }

    /// What the gate makes of a challenge.
    package enum Decision: Sendable {
        /// Pay exactly this.
        case approve(ClearedPayment)
        /// Pay nothing.
        case refuse(Refusal)
        /// Pay nothing before a person has approved it.
        case ask(Refusal)
    }

    /// A challenge of which nothing may be paid.
    package struct Refusal: Equatable, Sendable {
        /// The code of the entry that came closest.
        package let code: RefusalCode
        /// That entry; nil when none could be read.
        package let requirement: PaymentRequirement?
        /// What it counts for in dollars, when it came so far.
        package let value: Dollars?
        /// What would have been signed, when it came so far.
        package let order: RefusedOrder?
        /// What the policy says, when that is why.
        package let verdict: PolicyVerdict?

        /// Makes a refusal.
        package init(
            code: RefusalCode, requirement: PaymentRequirement? = nil, value: Dollars? = nil,
            order: RefusedOrder? = nil, verdict: PolicyVerdict? = nil
        ) {
            self.code = code
            self.requirement = requirement
            self.value = value
            self.order = order
            self.verdict = verdict
        }
    }

    /// The only methods that are paid for.
    private static let paidMethods: Set<String> = ["GET", "POST", "PUT", "PATCH", "DELETE"]

    /// The entry to pay, or the code of the entry that came closest.
    ///
    /// What cannot be paid falls away first; of the rest, entries charged only on success go before other flows, then
    /// the wallet's order decides, then the seller's.
    package func decide(_ challenge: Challenge, in context: Context) -> Decision {
        guard Self.paidMethods.contains(context.request.method) else {
            return .refuse(Refusal(code: .requestMethod))
        }
        guard !PaymentIdentifier.cannotBeGiven(to: challenge.extensions) else {
            return .refuse(Refusal(code: .identifier))
        }
        guard let base = context.clock.base else {
            return .refuse(Refusal(code: .clock))
        }
        var best: (payment: ClearedPayment, flow: Int, rule: Int)?
        var refusal = Refusal(code: .unreadable)
        for entry in challenge.requirements {
            do throws(Obstacle) {
                let (payment, rule) = try clear(entry, of: challenge, base: base, in: context)
                let flow = entry.extra.paymentFlow ?? "authorization" == "authorization" ? 0 : 1
                if let current = best, (current.flow, current.rule) <= (flow, rule) { continue }
                best = (payment, flow, rule)
            } catch {
                if refusal.requirement == nil || error.code > refusal.code {
                    refusal = Refusal(
                        code: error.code, requirement: entry, value: error.value, order: error.order,
                        verdict: error.verdict)
                }
            }
        }
        if let best { return .approve(best.payment) }
        return refusal.code == .approval ? .ask(refusal) : .refuse(refusal)
    }

    /// Why an entry is not paid, and what it would have cost.
    private struct Obstacle: Error {
        let code: RefusalCode
        var value: Dollars?
        var order: RefusedOrder?
        var verdict: PolicyVerdict?
    }

    private func clear(
        _ entry: PaymentRequirement, of challenge: Challenge, base: Int64, in context: Context
    ) throws(Obstacle) -> (ClearedPayment, rule: Int) {
        let (token, method, dictated) = try stated(entry, version: challenge.version, under: context.rules)
        let payTo: Address
        do throws(RefusalCode) {
            payTo = try Self.payee(of: entry, token: token, payer: context.payer)
        } catch {
            throw Obstacle(code: error)
        }
        guard let value = TokenAmount.dollars(of: entry.amount, decimals: token.decimals, par: token.par) else {
            throw Obstacle(code: .amount)
        }
        let window = try window(of: entry, dictated, base: base, in: context)
        let order = PaymentOrder(
            extra: entry.extra, token: token, payer: context.payer, payTo: payTo, amount: entry.amount,
            validAfter: window.after, validBefore: window.before, nonce: dictated.nonce ?? context.nonce)
        let refused = RefusedOrder(order: order, scheme: entry.scheme, method: method.name)
        let fits = PaymentEcho.fits(
            challenge, for: entry,
            payloadBytes: method.authorization(of: order)?.payload(signature: .blank).count ?? 0,
            trimsEntry: context.rules.trimsEntry)
        guard fits else { throw Obstacle(code: .tooLong, value: value, order: refused) }
        let (rule, alerts) = try Self.admit(refused, worth: value, in: context)
        guard let authorization = method.authorization(of: order) else { throw Obstacle(code: .transferMethod) }
        let payment = ClearedPayment(
            entry: entry, order: order, method: method, value: value, alerts: alerts,
            authorization: authorization)
        return (payment, rule)
    }

    /// What the wallet, the gateway's rules and the policy say about an order: its place in the wallet's list, and what an
    /// operator should hear of it.
    private static func admit(
        _ order: RefusedOrder, worth value: Dollars, in context: Context
    ) throws(Obstacle) -> (rule: Int, alerts: [GateAlert]) {
        guard let rule = context.payRules.firstIndex(where: { $0.matches(order.order.token) }) else {
            throw Obstacle(code: .notInPayList, value: value, order: order)
        }
        var alerts: [GateAlert] = []
        do throws(RefusalCode) {
            alerts = try unusual(value, of: order.order, in: context)
        } catch {
            throw Obstacle(code: error, value: value, order: order)
        }
        guard value <= context.rules.maxPayment else {
            throw Obstacle(code: .tooLarge, value: value, order: order)
        }
        if let policy = context.policy {
            let verdict = policy.rules.verdict(on: subject(order, worth: value, in: context))
            guard verdict.outcome == .approve else {
                throw Obstacle(
                    code: verdict.outcome == .refuse ? .policy : .approval, value: value, order: order,
                    verdict: verdict)
            }
            alerts += verdict.alerts
        }
        return (rule, alerts)
    }

    /// Why an earlier payment would not be approved by the rules that are in force now; nil when it would.
    ///
    /// Its bytes have left the process before, by rules that may have been others. `version` is that of the protocol which
    /// the seller spoke.
    package func objection(to payment: ClearedPayment, version: Int, in context: Context) -> Refusal? {
        let order = RefusedOrder(order: payment.order, scheme: payment.entry.scheme, method: payment.method)
        do throws(Obstacle) {
            _ = try Self.admit(order, worth: payment.value, in: context)
        } catch {
            return Refusal(
                code: error.code, requirement: payment.entry, value: error.value, order: error.order,
                verdict: error.verdict)
        }
        // What vendors' variants may do is switched on for each gateway.
        do throws(RefusalCode) {
            guard let method = methods.method(for: payment.entry) else { throw .transferMethod }
            let rules = MethodRules(
                version: version, profiles: context.rules.profiles, spenders: context.rules.spenders)
            _ = try method.check(payment.entry, token: payment.order.token, under: rules)
        } catch {
            return Refusal(code: error, requirement: payment.entry, value: payment.value, order: order)
        }
        return nil
    }

    /// The pinned token and the method that an entry means, once everything that it states of them is true.
    private func stated(
        _ entry: PaymentRequirement, version: Int, under rules: GateRules
    ) throws(Obstacle) -> (Asset, any PaymentMethod, DictatedTerms) {
        do throws(RefusalCode) {
            let extra = entry.extra
            guard methods.knows(scheme: entry.scheme) else { throw .scheme }
            guard let network = table.network(spelled: entry.network) else { throw .network }
            guard extra.paymentFlow.map(Self.knownFlows.contains) ?? true else { throw .flow }
            guard entry.asset.hasPrefix("0x"), let address = Address(hex: entry.asset),
                let token = table.asset(network: network, address: address)
            else { throw .asset }
            guard let method = methods.method(for: entry) else { throw .transferMethod }
            let dictated = try method.check(
                entry, token: token,
                under: MethodRules(version: version, profiles: rules.profiles, spenders: rules.spenders))
            guard extra.verifyingContract.map({ Address(hex: $0) == token.address }) ?? true,
                token.domain.map({
                    extra.name ?? $0.name == $0.name && extra.version ?? $0.version == $0.version
                }) ?? true
            else { throw .domain }
            guard extra.decimals ?? String(token.decimals) == String(token.decimals) else { throw .decimals }
            return (token, method, dictated)
        } catch {
            throw Obstacle(code: error)
        }
    }

    private static let knownFlows: Set<String> = ["authorization", "upfront", "escrow"]

    private static func payee(
        of entry: PaymentRequirement, token: Asset, payer: Address
    ) throws(RefusalCode) -> Address {
        guard entry.payTo.hasPrefix("0x"), let payTo = Address(hex: entry.payTo), payTo != .zero,
            payTo != token.address, payTo != payer
        else { throw .payee }
        return payTo
    }

    /// The signed window; both ends exclusive, Unix seconds.
    ///
    /// It never reaches further than the gateway's longest validity and the reach of a seller's clock, whatever the
    /// seller says or dictates.
    private func window(
        of entry: PaymentRequirement, _ dictated: DictatedTerms, base: Int64, in context: Context
    ) throws(Obstacle) -> (after: Int64, before: Int64) {
        let longest = context.rules.maxValidity
        let validity = min(entry.maxTimeoutSeconds ?? Self.defaultValidity, longest)
        let before = dictated.validBefore ?? base + validity
        let after = dictated.validAfter ?? base - min(Self.backdating, longest)
        // By both clocks: what is over by ours would be given up while the seller can still settle it.
        let latest = max(base, context.clock.now.seconds)
        guard before >= latest + Self.minimumValidity else { throw Obstacle(code: .window) }
        guard before <= base + longest, before <= context.clock.now.seconds + longest + GateClock.reach, after < base
        else { throw Obstacle(code: .dictated) }
        return (after, before)
    }

    /// What differs from earlier payments: alerts, or the code by which the gateway's rules refuse it.
    private static func unusual(
        _ value: Dollars, of order: PaymentOrder, in context: Context
    ) throws(RefusalCode) -> [GateAlert] {
        let rules = context.rules
        guard rules.payees.isEmpty || rules.payees.contains(order.payTo) else { throw .payeeNotPinned }
        var alerts: [GateAlert] = []
        let name = order.token.name
        if rules.payees.isEmpty, let known = context.history.payees[name], !known.isEmpty {
            if !known.contains(order.payToText) {
                try react(rules.newPayee, by: .payeeChanged)
                alerts.append(.newPayee(payee: order.payToText, asset: name))
            }
        }
        if let before = context.history.prices[name], before > .zero, value > before.multiplied(by: rules.priceRise) {
            try react(rules.higherPrice, by: .priceRise)
            alerts.append(.higherPrice(price: value, before: before))
        } else if context.request.model.isUnknown {
            // Nobody knows which earlier prices it compares with, so it may be higher than they allow.
            try react(rules.higherPrice, by: .priceRise)
        }
        return alerts
    }

    private static func react(_ reaction: GateRules.Reaction, by code: RefusalCode) throws(RefusalCode) {
        switch reaction {
        case .alert: break
        case .ask: throw .approval
        case .refuse: throw code
        }
    }
}

extension Gate {
    /// The pinned token with this address.
    package func token(network: String, address: Address) -> Asset? {
        table.asset(network: network, address: address)
    }

    /// An earlier payment once more, from what the books hold of it: the same bytes, or nil when this table or these
    /// methods cannot give them.
    ///
    /// What is told of a token, a method or a payee must still be true; rules and windows were applied when it was
    /// cleared.
    package func again(
        _ order: PaymentOrder, by name: String, for entry: PaymentRequirement, value: Dollars
    ) -> ClearedPayment? {
        guard token(network: order.token.network, address: order.token.address) == order.token, order.payTo != .zero,
            order.payTo != order.token.address, order.payTo != order.payer,
            let method = methods.method(for: entry), method.name == name,
            let authorization = method.authorization(of: order)
        else { return nil }
        return ClearedPayment(
            entry: entry, order: order, method: method, value: value, alerts: [], authorization: authorization)
    }
}
