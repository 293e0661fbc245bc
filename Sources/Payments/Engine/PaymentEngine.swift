package import Ledger
package import Logging
package import Policy
package import Primitives
import Wallets
package import X402

/// The answer of the engine to a 402.
package enum ChallengeAnswer: Sendable {
    /// This is no x402 challenge: the answer goes to the agent untouched.
    case passThrough
    /// Nothing was signed; the agent is told why.
    case refuse(PaymentFailure)
    /// Money is reserved on disk and signed for: send this header once.
    case pay(AuthorizedPayment)
    /// The agent went away before anything was signed.
    case abandoned
}

/// Challenge in, header out; outcome in, books out.
///
/// The order is fixed: read, vet, reserve durably, sign. A payment that was signed is answered for by exactly one call
/// of ``book(_:of:)``; an outcome that the books cannot take is kept, and booked by ``retryUnbooked()``.
package struct PaymentEngine: Sendable {
    private let store: any LedgerStore
    private let table: AssetTable
    private let wallets: PayingWallets
    private let clock: any WallClock
    private let random: any RandomSource
    private let logger: Logger
    private let booking: OutcomeBooking

    /// Makes an engine over the books, the pinned table and the unlocked wallets.
    package init(
        store: any LedgerStore, table: AssetTable, wallets: PayingWallets, clock: any WallClock,
        random: any RandomSource, logger: Logger
    ) {
        self.store = store
        self.table = table
        self.wallets = wallets
        self.clock = clock
        self.random = random
        self.logger = logger
        booking = OutcomeBooking(store: store, clock: clock, logger: logger, unbooked: UnbookedOutcomes())
    }

    /// Decides about a 402 and, when it may be paid, reserves and signs.
    ///
    /// `isAbandoned` is asked before the reservation and again before the signature: for an agent that has gone
    /// nothing is signed, and a reservation made meanwhile is voided.
    package func answer(
        _ source: ChallengeSource, for request: PaymentRequest, isAbandoned: @Sendable () -> Bool
    ) async -> ChallengeAnswer {
        let challenge: Challenge
        do {
            challenge = try Challenge.read(source)
        } catch .absent {
            return .passThrough
        } catch {
            logger.notice("challenge not readable", metadata: request.metadata(["problem": "\(error)"]))
            return .passThrough
        }
        let now = clock.now()
        guard !Self.freeMethods.contains(request.method) else {
            return await refuse(.methodNotPaid, for: request, at: now)
        }
        guard let wallet = wallets.wallet(named: request.agent.wallet) else {
            return await refuse(.noWallet(named: request.agent.wallet), for: request, at: now)
        }
        let vetting = Vetting(table: table, rules: wallet.rules, payer: wallet.signer.address)
        switch vetting.choose(from: challenge, at: now) {
        case .failure(let refusal):
            return await refuse(.vetting(refusal.code, payment: nil), for: request, at: now)
        case .success(let vetted):
            guard !isAbandoned() else { return .abandoned }
            return await pay(vetted, of: challenge, for: request, from: wallet, at: now, isAbandoned: isAbandoned)
        }
    }

    private static let freeMethods: Set<String> = ["HEAD", "OPTIONS", "TRACE"]

    private func pay(
        _ vetted: VettedPayment, of challenge: Challenge, for request: PaymentRequest, from wallet: PayingWallet,
        at now: Timestamp, isAbandoned: @Sendable () -> Bool
    ) async -> ChallengeAnswer {
        let reserved: ReservedPayment
        do {
            reserved = try await ReservedPayment.reserve(
                vetted, of: challenge, for: request, wallet: wallet, in: store, random: random, at: now)
        } catch .caps(let refusal, let id) {
            logger.info("payment refused by caps", metadata: request.metadata(["payment": "\(id)"]))
            return .refuse(.caps(refusal, price: vetted.value, payment: id))
        } catch .books(let error) {
            logger.error("ledger not writable", metadata: request.metadata(["problem": "\(error)"]))
            return .refuse(.books)
        } catch {
            logger.critical("no randomness", metadata: request.metadata([:]))
            return .refuse(.signing(nil))
        }
        let id = reserved.intent.id
        guard !isAbandoned() else {
            await void(id, reason: "the agent went away before the payment was sent")
            return .abandoned
        }
        do {
            if let payment = try reserved.authorize(with: wallet.signer) { return .pay(payment) }
            logger.error("payment header not writable", metadata: request.metadata(["payment": "\(id)"]))
        } catch {
            logger.error("signing failed", metadata: request.metadata(["payment": "\(id)", "problem": "\(error)"]))
        }
        await void(id, reason: "the wallet could not sign")
        return .refuse(.signing(id))
    }

    /// Puts a refusal on record under its code.
    private func refuse(
        _ failure: PaymentFailure, for request: PaymentRequest, at now: Timestamp
    ) async -> ChallengeAnswer {
        var id: PaymentID?
        if let bytes = try? random.bytes32() {
            let record = RefusedPayment(
                id: PaymentID(random: bytes), purpose: request.purpose, code: failure.code, terms: nil)
            do {
                try await store.record(record, at: now)
                id = record.id
            } catch {
                logger.error("refusal not booked", metadata: request.metadata(["problem": "\(error)"]))
            }
        }
        logger.info("payment refused by policy", metadata: request.metadata(["code": "\(failure.code)"]))
        return .refuse(failure.recorded(as: id))
    }

    /// Books what came back for a signed payment.
    ///
    /// When the books cannot be written the row stays reserved, which is exposure, and the outcome is kept in memory
    /// for ``retryUnbooked()``; a row that is still reserved at the next start is in doubt then.
    package func book(_ answer: PaidAnswer, of payment: AuthorizedPayment) async {
        await booking.book(
            Outcome(
                payment: payment.id, event: answer.event, evidence: answer.evidence(signature: payment.signature)))
        if case .response(_, let report?) = answer { warn(about: report, of: payment) }
    }

    private func void(_ id: PaymentID, reason: String) async {
        await booking.book(
            Outcome(payment: id, event: .neverSent, evidence: PaymentEvidence(reason: reason)))
    }

    /// Books the outcomes that the books could not take when they came, as far as they can now.
    ///
    /// For the daemon's housekeeping, and once more before it ends; call it from one place at a time.
    package func retryUnbooked() async {
        await booking.retry()
    }

    /// A seller that reports another amount or network than the signed one cannot have moved that; it is worth a line.
    private func warn(about report: SettlementReport, of payment: AuthorizedPayment) {
        guard report.success else { return }
        if let amount = report.amount, amount != payment.terms.amount {
            logger.warning("settlement reports another amount", metadata: ["payment": "\(payment.id)"])
        }
        if let network = report.network, table.network(spelled: network) != payment.terms.network {
            logger.warning("settlement reports another network", metadata: ["payment": "\(payment.id)"])
        }
    }
}

extension PaymentRequest {
    fileprivate func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
        more.merging(["agent": "\(agent.name)", "gateway": "\(gateway)"]) { first, _ in first }
    }
}
