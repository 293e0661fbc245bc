import Ethereum
import FaultPoints
package import Ledger
package import Logging
package import Policy
package import Primitives
import Wallets
package import X402

/// Challenge in, header out; outcome in, books out.
///
/// The order is fixed: read, pass the gate, reserve durably, look for freezes, sign. Identical requests reach the books one
/// after the other, each after what is known of those before (``OutcomesUnderWay``). Every outcome of a payment that was
/// signed is announced and then booked by ``book(_:of:isRepeat:isOrphan:delivery:note:)``: an exchange whose agent leaves
/// books that, and later what still comes. An outcome that the books cannot take is kept, and booked by
/// ``retryUnbooked()``.
package final class PaymentEngine: Sendable {
    let store: any LedgerStore
    private let gate: Gate
    private let table: AssetTable
    private let wallets: PayingWallets
    let clock: any WallClock
    private let random: any RandomSource
    let logger: Logger
    let booking: OutcomeBooking
    let underWay = OutcomesUnderWay()
    private let reserving: Reserving
    private let joining: AttemptJoining
    let notices: OperatorNotices
    private let knowledge: SellerKnowledge
    private let proofs: SellerProofs
    private let signIn: SignIn
    let allowances: AllowanceCheck
    private let funds: WalletFunds
    let prices: LearnedPrices
    private let slowStart: SlowStart
    private let rules: Replaceable<RulesInForce>

    /// Makes an engine over the books, the pinned table, the unlocked wallets and the operator's policy.
    ///
    /// `allowances` says by network who can tell what the wallets allow Permit2, `balances` who can tell what they have, and
    /// `gateways` by name what their entries say, nil where no entry ever changes. `pots` are the totals of what agents
    /// share here, and `activity` says which of them are active.
    package init(
        store: any LedgerStore, table: AssetTable, wallets: PayingWallets, clock: any WallClock,
        random: any RandomSource, logger: Logger, allowances: [String: any AllowanceWitness] = [:],
        balances: [String: any BalanceWitness] = [:],
        policy: PolicySnapshot? = nil, gateways: [String: GatewayTerms]? = nil,
        outstandingBeforeAcceptance: Int = SlowStart.limit,
        pots: PaymentPots = .standard, activity: ActiveAgents = ActiveAgents()
    ) {
        prices = LearnedPrices(total: pots.learnedPrices, agents: activity)
        slowStart = SlowStart(limit: outstandingBeforeAcceptance)
        rules = Replaceable(RulesInForce(policy: policy, gateways: gateways))
        self.store = store
        gate = Gate(table: table)
        self.table = table
        self.wallets = wallets
        self.clock = clock
        self.random = random
        self.logger = logger
        booking = OutcomeBooking(
            store: store, clock: clock, logger: logger, unbooked: UnbookedOutcomes(), underWay: underWay)
        reserving = Reserving(store: store, gate: gate, random: random)
        joining = AttemptJoining(store: store, clock: clock, logger: logger)
        let notices = OperatorNotices(store: store, logger: logger)
        self.notices = notices
        knowledge = SellerKnowledge(store: store, logger: logger)
        proofs = SellerProofs(notices: notices, logger: logger, random: random)
        signIn = SignIn(store: store, table: table, clock: clock, logger: logger)
        self.allowances = AllowanceCheck(
            witnesses: allowances, turns: ApprovalTurns(total: pots.approvalTurns, agents: activity), logger: logger)
        funds = WalletFunds(store: store, witnesses: balances, notices: notices, logger: logger)
    }

    /// Decides by another policy and other gateways' entries, by name, from the next signature on.
    ///
    /// A request that was admitted under another entry of its gateway is paid no more, and a price that was learned by what
    /// was in force before is learned again.
    package func replace(policy: PolicySnapshot?, gateways: [String: GatewayTerms]) {
        rules.replace(with: RulesInForce(policy: policy, gateways: gateways))
        prices.keep { route, binding in
            gateways[route.gateway] == binding.gateway && policy?.hash == binding.policy
        }
    }

    /// Decides about a 402 and, when it may be paid, reserves and signs.
    ///
    /// `withdrawal` is asked before the reservation and again before the signature: for an agent that has gone
    /// nothing is signed, and a reservation made meanwhile is voided. `open` knows the answers that are open to requests
    /// whose agents have left.
    package func answer(
        _ source: ChallengeSource, for request: PaymentRequest, open: (any OpenAttempts)? = nil,
        withdrawal: Withdrawal = Withdrawal()
    ) async -> ChallengeAnswer {
        let challenge: Challenge
        do {
            challenge = try Challenge.read(source)
        } catch .absent {
            return .passThrough
        } catch {
            return await refuse(error, for: request)
        }
        return await slowStart.admit(request, clock: clock, withdrawal: withdrawal) { request, now in
            await vet(challenge, for: request, at: now, learned: nil, open: open, withdrawal: withdrawal)
        }
    }

    /// Refuses to pay, for a reason that is not the seller's, where the 402 is a challenge.
    package func decline(
        _ source: ChallengeSource, for request: PaymentRequest, because failure: PaymentFailure
    ) async -> ChallengeAnswer {
        do {
            _ = try Challenge.read(source)
        } catch .absent {
            return .passThrough
        } catch {
            return await refuse(error, for: request)
        }
        return await refuse(failure, for: request, under: rules.current.policy?.hash, at: clock.now())
    }

    private func refuse(_ problem: ChallengeProblem, for request: PaymentRequest) async -> ChallengeAnswer {
        logger.notice("challenge not readable", metadata: request.metadata(["problem": "\(problem)"]))
        return await refuse(.unreadable(problem), for: request, under: rules.current.policy?.hash, at: clock.now())
    }

    /// Whether a payment may go with a first request on a route: its price has been learned, for some model at least.
    package func hasLearnedPrice(of route: RequestRoute) -> Bool { prices.hasPrice(of: route, at: clock.now()) }

    /// Takes note that a seller has served a request without being paid: the price of its route is learned anew.
    package func servedUnpaid(on route: RequestRoute) { prices.forget(route) }

    /// Whether the seller has been paid on a route before, and so is likely to ask again.
    package func asksPayment(on route: RequestRoute) -> Bool { prices.isKnown(route) }

    /// Decides about a request before its seller asks anything, by the price that was learned, and when it may be paid,
    /// reserves and signs; nil when it is to be asked.
    ///
    /// Everything that holds for the answer to a 402 holds here too: the same gate, books and turn. Only a payment of
    /// exactly the entry that was paid before comes of it, never one of a maximum and never one with an approval.
    package func attachment(
        to request: PaymentRequest, open: (any OpenAttempts)? = nil, withdrawal: Withdrawal = Withdrawal()
    ) async -> AuthorizedPayment? {
        let now = clock.now()
        let route = request.route
        let model = request.content.model
        guard let price = prices.price(of: route, model: model, at: now) else { return nil }
        let answer: ChallengeAnswer? = await slowStart.admitAtOnce(request) {
            await vet(price.challenge, for: request, at: now, learned: price, open: open, withdrawal: withdrawal)
        }
        guard let answer else { return nil }
        if case .pay(let payment) = answer { return payment }
        // The price is good, and the seller is asked all the same.
        if open?.isOpen(request.content.fingerprint) == true { return nil }
        // The price is not what an earlier attempt at the same request stands against.
        if case .refuse(let failure) = answer, failure.earlier != nil { return nil }
        if !withdrawal.isWithdrawn { prices.forget(route, model: model) }
        return nil
    }

    private func vet(
        _ challenge: Challenge, for request: PaymentRequest, at now: Timestamp, learned: LearnedPrice?,
        open: (any OpenAttempts)?, withdrawal: Withdrawal
    ) async -> ChallengeAnswer {
        // One policy for a whole decision; where another one is put in force meanwhile, nothing is signed by this one.
        let rules = rules.current
        let policy = rules.policy
        guard rules.admit(request) else { return learned == nil ? .refuse(.rulesChanged) : .passThrough }
        guard let wallet = wallets.wallet(named: request.agent.wallet) else {
            guard learned == nil else { return .passThrough }
            return await refuse(.noWallet(named: request.agent.wallet), for: request, under: policy?.hash, at: now)
        }
        let binding = PriceBinding(request, from: wallet, under: policy?.hash)
        guard learned?.binding ?? binding == binding else { return .passThrough }
        let seller = request.seller
        let known = await knowledge.recollection(of: seller)
        guard let nonce = try? Bytes32(nonceAt: now, random: random.bytes32()) else {
            return .refuse(await failure(.randomness, price: .zero, for: request, at: now))
        }
        let context = Gate.Context(
            request: request.subject, rules: request.policy.gate, payer: wallet.signer.address,
            payRules: wallet.rules, history: known.history, clock: GateClock(now: now, seller: request.sellerDate),
            nonce: nonce, policy: policy, asksPolicy: request.isCapped)
        switch gate.decide(challenge, in: context) {
        case .refuse(let refusal), .ask(let refusal):
            guard learned == nil else { return .passThrough }
            let failure =
                challenge.requirements.isEmpty && refusal.code == .unreadable
                ? PaymentFailure.unreadable(challenge.problemOfEntries) : .gate(refusal, payment: nil)
            return await refuse(
                failure, for: request, under: policy?.hash, terms: refusal.terms(of: wallet), at: now)
        case .approve(let cleared):
            if let learned, cleared.entry.raw != learned.accepted { return .passThrough }
            guard !withdrawal.isWithdrawn else { return .abandoned }
            let signedIn = await signIn.header(
                for: challenge, of: request, from: wallet, insteadOf: cleared, under: policy?.hash,
                isBuyer: known.isBuyer, at: now, isStillInForce: { isInForce(policy, for: request) })
            if let signedIn { return .signIn(signedIn) }
            let lesson = known.lesson(
                about: seller, asset: cleared.assetName, payee: cleared.order.payToText,
                price: cleared.value)
            var proposal = Proposal(
                cleared: cleared, challenge: challenge, context: context, lesson: lesson,
                offer: proofs.offer(in: challenge, for: cleared, of: request, at: now))
            // Where nothing new is signed, neither a chain is asked nor a turn taken.
            let standing =
                request.isCapped
                ? await allowances.standing(
                    of: cleared, by: request.agent.name, from: wallet, offered: challenge.extensions) : .enough
            // The account's turn may have been long in coming; what is in force by then decides.
            guard isInForce(policy, for: request) else {
                if case .sponsored(_, let turn) = standing { allowances.keep(turn, for: nil) }
                return await vet(
                    challenge, for: request, at: clock.now(), learned: learned, open: open, withdrawal: withdrawal)
            }
            func again() async -> ChallengeAnswer {
                let time = clock.now()
                return await vet(
                    challenge, for: request.later(by: time.seconds - now.seconds), at: time,
                    learned: learned, open: open, withdrawal: withdrawal)
            }
            switch standing {
            case .enough:
                proposal.priceLesson = PriceLesson(
                    route: request.route, model: request.content.model, challenge: challenge,
                    accepted: cleared.entry.raw, binding: binding, seenAt: now,
                    isAttached: learned != nil)
                let answer = await pay(
                    proposal, for: request, from: wallet, at: now, open: open, withdrawal: withdrawal)
                guard let answer else { return await again() }
                return answer
            case .missing(let missing):
                guard learned == nil else { return .passThrough }
                await notices.allowanceMissing(missing, at: request.gateway, now: now)
                return await refuse(
                    .allowance(missing, price: cleared.value), for: request, under: policy?.hash,
                    terms: cleared.terms(of: wallet), at: now)
            case .sponsored(let approval, let turn):
                guard learned == nil else {
                    allowances.keep(turn, for: nil)
                    return .passThrough
                }
                proposal.approval = approval
                let answer = await pay(
                    proposal, for: request, from: wallet, at: now, open: open, withdrawal: withdrawal)
                allowances.keep(turn, for: answer?.payment?.id)
                guard let answer else { return await again() }
                return answer
            }
        }
    }

    /// Passes the turn of identical requests, and joins, reserves or refuses; nil where it is to be decided again: an answer
    /// has ended for which the request had to wait, or a cap was set meanwhile, and what it was decided by is old.
    private func pay(
        _ proposal: Proposal, for request: PaymentRequest, from wallet: PayingWallet, at now: Timestamp,
        open: (any OpenAttempts)?, withdrawal: Withdrawal
    ) async -> ChallengeAnswer? {
        let decision = await underWay.beginDecision(request.content.fingerprint, hasLeft: { withdrawal.isWithdrawn })
        guard let decision else {
            logger.error("an outcome of the same request waits for the ledger", metadata: request.metadata([:]))
            return .refuse(.books)
        }
        guard withdrawal.beginReserving() else {
            underWay.end(decision)
            return .abandoned
        }
        switch await joining.attempt(like: request, from: wallet, among: open, withdrawal: withdrawal) {
        case .none: break
        case .joined(let payment):
            // Its agent may have left during this turn: the books hear of that first.
            await underWay.awaitPlaces(decision)
            let ownsPayment = await joining.handOver(payment, to: request)
            underWay.end(decision)
            return .joined(ownsPayment: ownsPayment)
        case .elsewhere:
            underWay.end(decision)
            withdrawal.endReserving()
            return .passThrough
        case .unfinished(let end):
            // Others may join meanwhile.
            underWay.end(decision)
            withdrawal.endReserving()
            logger.info("waits for the answer to an earlier identical request", metadata: request.metadata([:]))
            await end()
            return withdrawal.isWithdrawn ? .abandoned : nil
        }
        let answer = await decide(
            proposal, for: request, from: wallet, at: now, in: decision, withdrawal: withdrawal)
        // A payment's decision ends when its exchange has taken it.
        if answer?.payment == nil {
            underWay.end(decision)
            withdrawal.endReserving()
        }
        return answer
    }

    /// Says that an exchange has taken the payment that ``answer(_:for:open:withdrawal:)`` gave it, or has announced that it
    /// sends nothing; called once for each.
    package func decisionIsTaken(of payment: AuthorizedPayment) {
        if let decision = payment.decision { underWay.end(decision) }
    }

    private func decide(
        _ proposal: Proposal, for request: PaymentRequest, from wallet: PayingWallet, at now: Timestamp,
        in decision: OutcomesUnderWay.Decision, withdrawal: Withdrawal
    ) async -> ChallengeAnswer? {
        let reserved: ReservedPayment
        do {
            reserved = try await reserving.reserve(proposal, for: request, from: wallet, at: now) {
                underWay.endTurn(of: decision)
            }
        } catch .tooLong {
            let refusal = Gate.Refusal(
                code: .tooLong, requirement: proposal.cleared.entry, value: proposal.cleared.value)
            return await refuse(
                .gate(refusal, payment: nil), for: request, under: proposal.context.policy?.hash,
                terms: proposal.cleared.terms(of: wallet), at: now)
        } catch {
            return .refuse(await failure(error, price: proposal.cleared.value, for: request, at: now))
        }
        FaultPoint.reach(.reserved)
        guard reserved.isAdopted || proposal.context.asksPolicy else {
            await leave(reserved, reason: "a cap was set while the request was under way, and the policy comes first")
            return nil
        }
        notices.warn(of: reserved.reservation.warnings, by: reserved.id)
        if reserved.isHeldRepetition {
            await notices.repetitionHeld(at: request.gateway, of: request.agent.name, by: reserved.id, now: now)
        }
        if !reserved.isAdopted {
            if let lesson = proposal.lesson { knowledge.learn(lesson) }
            for alert in proposal.cleared.alerts {
                await notices.unusual(
                    alert, at: request.gateway, of: request.agent.name, by: reserved.id, at: now)
            }
            if let offer = proposal.offer {
                await proofs.tell(offer, of: reserved.id, at: request.gateway, by: request.agent.name, now: now)
            }
        }
        guard !withdrawal.isWithdrawn else {
            await leave(reserved, reason: "the agent went away before the payment was sent")
            return .abandoned
        }
        // The reservation came after the outcomes that were known then; one of them may have failed.
        guard await underWay.confirm(decision) else {
            logger.error("an outcome of the same request was not booked", metadata: request.metadata([:]))
            await leave(reserved, reason: "an outcome of the same request was not booked")
            return .refuse(.books)
        }
        if let failure = await obstacle(to: reserved, for: request, from: wallet) { return .refuse(failure) }
        guard isInForce(proposal.context.policy, for: request) else {
            await leave(reserved, reason: "the configuration changed before the signature")
            return .refuse(.rulesChanged.recorded(as: reserved.id))
        }
        return await sign(reserved, teaching: proposal.priceLesson, for: request, from: wallet, in: decision)
    }

    /// Whether what a request was admitted and decided by is in force still.
    private func isInForce(_ policy: PolicySnapshot?, for request: PaymentRequest) -> Bool {
        let rules = rules.current
        return rules.policy?.hash == policy?.hash && rules.admit(request)
    }

    /// What a failed reservation is to the agent, and to the operator.
    private func failure(
        _ failure: Reserving.Failure, price: Dollars, for request: PaymentRequest, at now: Timestamp
    ) async -> PaymentFailure {
        switch failure {
        case .refused(let refusal, let id):
            logger.info(
                "payment refused by the books",
                metadata: request.metadata([
                    "payment": "\(id.map { "\($0)" } ?? "counted")", "code": "\(refusal.code)",
                ]))
            if case .gatewayRejecting(let pause) = refusal {
                await notices.gatewayRejecting(request.gateway, of: request.agent.name, pause, refused: id, at: now)
            }
            if case .notServed(let earlier, _) = refusal {
                await notices.repetitionHeld(at: request.gateway, of: request.agent.name, by: earlier, now: now)
            }
            return .refused(refusal, price: price, payment: id, at: now)
        case .notRebuildable(let record):
            logger.error(
                "earlier attempt cannot be sent again: its wallet or token has changed",
                metadata: request.metadata(["payment": "\(record.id)"]))
            if let end = record.heldUntil(by: request.policy.rules) {
                return .refused(.notServed(record.id, until: end), price: price, payment: nil, at: now)
            }
            return await unresolved(record, reason: "the bytes could not be made again")
        case .noLongerCleared(let record, let refusal):
            logger.notice(
                "earlier attempt not sent again: it would not be approved now",
                metadata: request.metadata(["payment": "\(record.id)", "code": "\(refusal.code.rawValue)"]))
            await giveUp(record, .lostSight, reason: "it would not be approved now: \(refusal.code.rawValue)")
            return .gate(refusal, payment: record.id).following(record.id)
        case .tooLong: return .gate(Gate.Refusal(code: .tooLong), payment: nil)
        case .books(let error):
            logger.error("ledger not writable", metadata: request.metadata(["problem": "\(error)"]))
            return .books
        case .randomness:
            logger.critical("no randomness", metadata: request.metadata([:]))
            return .signing(nil)
        }
    }

    /// What an operator froze, removed or replaced since the request was admitted; the payment is given up then.
    private func obstacle(
        to reserved: ReservedPayment, for request: PaymentRequest, from wallet: PayingWallet
    ) async -> PaymentFailure? {
        do {
            let refusal = try await store.obstacle(to: request.claim, at: request.gateway, from: wallet.name)
            guard let refusal else { return nil }
            logger.notice(
                "stopped before the signature",
                metadata: request.metadata(["payment": "\(reserved.id)", "code": "\(refusal.code)"]))
            await leave(reserved, reason: "\(refusal.code) before the signature")
            let failure = PaymentFailure.refused(refusal, price: nil, payment: reserved.id)
            return reserved.isAdopted ? failure.following(reserved.id) : failure
        } catch {
            logger.error("freezes not readable", metadata: request.metadata(["problem": "\(error)"]))
            await leave(reserved, reason: "the ledger could not be read before the signature")
            return .books
        }
    }

    private func sign(
        _ reserved: ReservedPayment, teaching lesson: PriceLesson?, for request: PaymentRequest,
        from wallet: PayingWallet, in decision: OutcomesUnderWay.Decision
    ) async -> ChallengeAnswer {
        let id = reserved.id
        do {
            if let payment = try reserved.authorize(with: wallet.signer, teaching: lesson, in: decision) {
                FaultPoint.reach(.signed)
                return .pay(payment)
            }
            logger.error("payment header not writable", metadata: request.metadata(["payment": "\(id)"]))
        } catch is ReservedPayment.DifferentSignature {
            logger.error(
                "signature differs from the one that was sent", metadata: request.metadata(["payment": "\(id)"]))
            return .refuse(await unresolved(reserved.reservation.record, reason: "the signature came out different"))
        } catch {
            logger.error("signing failed", metadata: request.metadata(["payment": "\(id)", "problem": "\(error)"]))
        }
        await leave(reserved, reason: "the wallet could not sign")
        return .refuse(.signing(id))
    }

    /// Lets go of an attempt that was handed over and cannot be sent again.
    private func unresolved(_ record: PaymentRecord, reason: String) async -> PaymentFailure {
        await giveUp(record, .lostSight, reason: reason)
        let end = Timestamp(seconds: record.liveUntil ?? 0).adding(seconds: ReservationRequest.liveMargin)
        return .refused(.unresolved(record.id, until: end), price: nil, payment: nil)
    }

    /// Puts a refusal on record under its code.
    private func refuse(
        _ failure: PaymentFailure, for request: PaymentRequest, under policy: Bytes32?,
        terms: PaymentIntent.Terms? = nil, at now: Timestamp
    ) async -> ChallengeAnswer {
        logger.info("payment refused by policy", metadata: request.metadata(["code": "\(failure.code)"]))
        guard let bytes = try? random.bytes32(), let salt = try? random.bytes32() else { return .refuse(failure) }
        let record = RefusedPayment(
            id: PaymentID(at: now, random: bytes), purpose: request.purpose(under: policy),
            code: failure.code, terms: terms, salt: salt)
        do {
            let isBooked = try await store.record(record, at: now)
            return .refuse(isBooked ? failure.recorded(as: record.id) : failure)
        } catch {
            logger.error("refusal not booked", metadata: request.metadata(["problem": "\(error)"]))
            return .refuse(failure)
        }
    }

    /// Writes down how many refusals were counted instead of booked: of the minutes that are over, or of all before the
    /// process ends.
    package func noteRefusals(all: Bool = false) async {
        do {
            for count in try await store.noteRefusals(all: all, at: clock.now()) { notices.refusalsCounted(count) }
        } catch {
            logger.error("counted refusals not booked", metadata: ["problem": "\(error)"])
        }
    }

    /// Announces one call of ``book(_:of:isRepeat:isOrphan:)``: a repetition of the request waits for it.
    ///
    /// Called before the agent can hear of the outcome, and never blocks.
    package func announceOutcome(of payment: AuthorizedPayment) { underWay.begin(payment.fingerprint) }

    /// Books what came back for a signed payment, once it was announced; `isRepeat` when its bytes were sent twice within
    /// one exchange, `isOrphan` when that exchange's agent had gone before.
    ///
    /// `note` is what else is to be known of the answer, in at most 2,304 printable characters.
    ///
    /// An orphan's outcome may say that money moved, or that the seller refused it where nobody waits for the payment any
    /// more, and nothing else: the attempt may have another agent by now, who waits for an outcome of its own. `delivery` is what is known of the answer's way to the agent by now.
    ///
    /// When the books cannot be written the row stays reserved, which is exposure, and the outcome is kept in memory
    /// for ``retryUnbooked()``; a row that is still reserved at the next start is in doubt then.
    package func book(
        _ answer: PaidAnswer, of payment: AuthorizedPayment, isRepeat: Bool = false, isOrphan: Bool = false,
        delivery: AnswerDelivery? = nil, note: String? = nil
    ) async {
        allowances.outcomeIsKnown(of: payment.id)
        var event = payment.event(of: answer, isRepeat: isRepeat)
        if isOrphan, event == .rejected { event = .rejectedLate }
        if let lesson = payment.lesson { prices.learn(lesson, payment.verdict(of: answer, event: event)) }
        if isOrphan, !event.saysMoneyMoved, event != .rejectedLate {
            logger.info(
                "late outcome left out", metadata: ["payment": "\(payment.id)", "event": "\(event.rawValue)"])
            if let place = payment.place { slowStart.end(place, .other) }
            return underWay.end(payment.fingerprint, isKept: false)
        }
        let record = await booking.book(
            Outcome(
                payment: payment.id, event: event,
                evidence: answer.evidence(signature: payment.signature, note: note),
                fingerprint: payment.fingerprint,
                delivery: payment.fate(of: delivery, after: event, isOrphan: isOrphan)))
        // After the books: the next payment is decided by them.
        if let place = payment.place { slowStart.end(place, SlowStart.Outcome(event)) }
        if payment.lacksAllowance(by: answer), let record {
            await allowances.forget(payment.terms)
            await notices.allowanceMissing(payment.missingAllowance, at: record.purpose.gateway, now: clock.now())
        }
        // A settled payment that is sent again may find too little money because it moved that money itself.
        if event == .rejected, answer.saysUnfunded, let record, record.state == .rejected {
            await funds.doubted(by: record.purpose, for: payment.terms, at: clock.now())
        }
        guard case .response(_, let report?, _) = answer else { return }
        for doubt in payment.doubts(about: report, in: table) {
            logger.warning("\(doubt)", metadata: ["payment": "\(payment.id)"])
        }
        guard let record else { return }
        await proofs.examineReceipt(in: report, of: record, signers: payment.signers, at: clock.now())
        if payment.trustsPartial { await free(by: report, of: record) }
    }

    /// Frees what a trusted seller says it did not take of a maximum.
    private func free(by report: SettlementReport, of record: PaymentRecord) async {
        guard report.success, let amount = report.amount, record.terms?.isMaximum == true,
            record.obstacle(toShowing: amount) == nil
        else { return }
        do {
            _ = try await store.show(
                amount, of: record.id, evidence: PaymentEvidence(reason: "by the seller's word, as configured"),
                at: clock.now())
        } catch {
            logger.error("amount not booked", metadata: ["payment": "\(record.id)", "problem": "\(error)"])
        }
    }

    private func leave(_ reserved: ReservedPayment, reason: String) async {
        await giveUp(reserved.reservation.record, reserved.unsent, reason: reason)
    }

    /// Books that nothing is sent for a payment; what the books cannot take stands in the way of its request.
    private func giveUp(_ record: PaymentRecord, _ event: PaymentEvent, reason: String) async {
        // A payment that a key sends again may be settled already, and stays so.
        guard record.state.after(event) != nil else { return }
        let fingerprint = record.purpose.request?.fingerprint
        if let fingerprint { underWay.begin(fingerprint) }
        _ = await booking.book(
            Outcome(
                payment: record.id, event: event, evidence: PaymentEvidence(reason: reason), fingerprint: fingerprint))
    }

    /// Books the outcomes that the books could not take when they came, as far as they can now.
    ///
    /// For the daemon's housekeeping, and once more before it ends; call it from one place at a time.
    package func retryUnbooked() async {
        await booking.retry()
    }
}
