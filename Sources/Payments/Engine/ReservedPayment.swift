import Ethereum
import Ledger
import Policy
import Primitives
import Wallets
import X402

/// A payment that passed the gate, with what goes into the books beside it.
struct Proposal: Sendable {
    /// What would be signed.
    let cleared: ClearedPayment
    /// The challenge it answers.
    let challenge: Challenge
    /// What it was decided from.
    let context: Gate.Context
    /// What is new about the seller.
    let lesson: Lesson?
    /// The offer that the seller signed for it.
    let offer: ProofFinding?
    /// The approval of Permit2 that goes with it, unsigned, where the wallet's allowance is too small.
    var approval: ExtensionAnswer?
}

/// What was vetted, with its reservation on disk: the only value that the signing step takes.
///
/// Nothing but ``Reserving/reserve(_:for:from:at:onPlaced:)`` can make one: from a vetted payment that the books have just
/// set money aside for, or from the row of an attempt that the books have just handed over. So no signature exists
/// before its row, and no row is ever signed for with other values than its own.
struct ReservedPayment: Sendable {
    let reservation: Reservation
    /// Whether the row is an earlier attempt of the same request.
    let isAdopted: Bool
    private let terms: PaymentIntent.Terms
    fileprivate let echo: PaymentIntent.Echo
    fileprivate let cleared: ClearedPayment
    private let answerWithin: Int64
    private let policy: GatewayPolicy

    var id: PaymentID { reservation.record.id }

    /// Until when the same request is held back because of what an earlier answer to it was; nil when it is not.
    var heldUntil: Timestamp? { isAdopted ? reservation.record.heldUntil(by: policy.rules) : nil }

    /// Whether the request was paid already, and its answer did not arrive or was a failure.
    var isHeldRepetition: Bool { heldUntil != nil }

    /// The event for a payment of which this process sends nothing: what was sent once can never be taken back.
    var unsent: PaymentEvent { isAdopted ? .lostSight : .neverSent }

    /// What the gate cleared, once the books have set its amount aside.
    fileprivate init?(_ reservation: Reservation, for cleared: ClearedPayment, trusting request: PaymentRequest) {
        guard let terms = reservation.record.terms, let echo = reservation.record.echo else { return nil }
        self.reservation = reservation
        self.terms = terms
        self.echo = echo
        self.cleared = cleared
        isAdopted = false
        answerWithin = cleared.answerWithin
        policy = request.policy
    }

    /// An earlier attempt as its row tells it; nil when this wallet or this gate cannot give its bytes again.
    ///
    /// `asked` is what the seller asks this time. It was cleared like any other, and what it says of money is not used.
    fileprivate init?(
        adopting reservation: Reservation, for request: PaymentRequest, from wallet: PayingWallet,
        asked: ClearedPayment, through gate: Gate
    ) {
        let record = reservation.record
        guard let terms = record.terms, let echo = record.echo, terms.wallet == wallet.name,
            terms.payer == wallet.addressText, record.purpose.agent == request.agent.name,
            record.purpose.request?.fingerprint == request.content.fingerprint,
            let cleared = gate.again(terms, accepted: echo.accepted)
        else { return nil }
        self.reservation = reservation
        self.terms = terms
        self.echo = echo
        self.cleared = cleared
        isAdopted = true
        answerWithin = asked.answerWithin
        policy = request.policy
    }

    /// The signature is not the one that was sent for this row before.
    struct DifferentSignature: Error {}

    /// Signs and writes the header; throws when the key does not give a signature of its own address, or not the one
    /// that was sent before.
    func authorize(with signer: any Signer) throws -> AuthorizedPayment? {
        let signature = try signer.sign(cleared.signable)
        if let known = reservation.record.evidence.signature, known != signature.bytes { throw DifferentSignature() }
        var extensions = echo.extensions
        if let unsigned = extensions, let approval = cleared.approval(in: unsigned) {
            extensions = approval.completing(unsigned, signature: try signer.sign(approval.signable))
            guard extensions != nil else { return nil }
        }
        let header = PaymentHeader.rebuild(
            version: echo.version, payload: cleared.payload(signature: signature), accepted: echo.accepted,
            resource: echo.resource, extensions: extensions)
        guard let header else { return nil }
        return AuthorizedPayment(
            id: id, header: header, terms: terms, signature: signature.bytes, usage: reservation.usage,
            answerWithin: answerWithin, isAdopted: isAdopted, state: reservation.record.state,
            heldUntil: heldUntil,
            fingerprint: reservation.record.purpose.request?.fingerprint ?? .zero, trustsPartial: policy.trustsPartial,
            signers: policy.signers)
    }
}

/// The step between vetting and signing: the books set money aside or hand an earlier attempt over.
struct Reserving: Sendable {
    let store: any LedgerStore
    let gate: Gate
    let random: any RandomSource

    enum Failure: Error {
        case refused(ReservationRefusal, PaymentID)
        /// What would be sent is longer than a header line may be.
        case tooLong
        /// An attempt was handed over whose bytes cannot be made again here.
        case notRebuildable(PaymentRecord)
        /// An attempt was handed over that the rules in force would not approve.
        case noLongerCleared(PaymentRecord, Gate.Refusal)
        case books(LedgerError)
        case randomness
    }

    /// Reserves money for a payment, or adopts an earlier attempt; `onPlaced` is called when the step has its place among the
    /// ledger's steps.
    func reserve(
        _ proposal: Proposal, for request: PaymentRequest, from wallet: PayingWallet, at now: Timestamp,
        onPlaced: () -> Void
    ) async throws(Failure) -> ReservedPayment {
        let intent = try intent(proposal, for: request, from: wallet, at: now)
        let outcome: ReservationOutcome
        do {
            outcome = try await store.reserve(
                ReservationRequest(
                    intent, idempotencyKey: request.idempotencyKey, rules: request.policy.rules,
                    lesson: proposal.lesson, approval: proposal.cleared.approvalNote(in: intent, from: wallet),
                    buysAgain: request.buysAgain),
                at: now, onPlaced: onPlaced)
        } catch {
            throw .books(error)
        }
        switch outcome {
        case .reserved(let reservation):
            guard let payment = ReservedPayment(reservation, for: proposal.cleared, trusting: request) else {
                throw .books(.damaged("payment \(intent.id)"))
            }
            return payment
        case .adopted(let reservation):
            let payment = ReservedPayment(
                adopting: reservation, for: request, from: wallet, asked: proposal.cleared, through: gate)
            guard let payment else { throw .notRebuildable(reservation.record) }
            // Its bytes were approved by rules that may have been others.
            if let refusal = gate.objection(
                to: payment.cleared, version: payment.echo.version, in: proposal.context)
            {
                throw .noLongerCleared(reservation.record, refusal)
            }
            return payment
        case .refused(let refusal): throw .refused(refusal, intent.id)
        }
    }

    private func intent(
        _ proposal: Proposal, for request: PaymentRequest, from wallet: PayingWallet, at now: Timestamp
    ) throws(Failure) -> PaymentIntent {
        let (cleared, challenge) = (proposal.cleared, proposal.challenge)
        do {
            let id = PaymentID(at: now, random: try random.bytes32())
            let echo = PaymentEcho(
                of: challenge, for: cleared.entry, payloadBytes: cleared.payloadBytes,
                identifier: PaymentIdentifier(id.description), answer: proposal.approval,
                trimsEntry: request.policy.gate.trimsEntry)
            guard let echo else { throw Failure.tooLong }
            return PaymentIntent(
                id: id, purpose: request.purpose(under: proposal.context.policy?.hash),
                terms: cleared.terms(of: wallet),
                echo: PaymentIntent.Echo(
                    version: challenge.version, accepted: echo.accepted, resource: echo.resource,
                    extensions: echo.extensions, offer: proposal.offer?.text),
                salt: try random.bytes32())
        } catch let failure as Failure {
            throw failure
        } catch {
            throw .randomness
        }
    }
}

extension ClearedPayment {
    /// The approval that is signed with a payment, as the journal keeps it.
    fileprivate func approvalNote(in intent: PaymentIntent, from wallet: PayingWallet) -> ApprovalNote? {
        guard let approval = intent.echo.extensions.flatMap(approval(in:)) else { return nil }
        return ApprovalNote(
            wallet: wallet.name, owner: wallet.addressText, asset: assetName,
            spender: approval.spender.checksummed, amount: approval.amount,
            form: approval.isTransaction ? .transaction : .permit, nonce: approval.nonce)
    }

    fileprivate var answerWithin: Int64 { entry.maxTimeoutSeconds ?? Gate.defaultValidity }

    /// What would be signed, as the books keep it.
    func terms(of wallet: PayingWallet) -> PaymentIntent.Terms {
        PaymentIntent.Terms(order, scheme: entry.scheme, method: method, value: value, of: wallet)
    }
}

extension Gate.Refusal {
    /// What would have been signed, as the books keep it; nil when the gate did not come so far.
    func terms(of wallet: PayingWallet) -> PaymentIntent.Terms? {
        guard let order, let value else { return nil }
        return PaymentIntent.Terms(order.order, scheme: order.scheme, method: order.method, value: value, of: wallet)
    }
}

extension PaymentIntent.Terms {
    fileprivate init(
        _ order: PaymentOrder, scheme: String, method: String, value: Dollars, of wallet: PayingWallet
    ) {
        self.init(
            scheme: scheme, method: method, network: order.token.network, asset: order.token.addressText,
            symbol: order.token.symbol, decimals: order.token.decimals, wallet: wallet.name,
            payer: wallet.addressText, payTo: order.payToText, amount: order.amount, value: value,
            nonce: order.nonce, validAfter: order.validAfter, validBefore: order.validBefore)
    }
}

extension Gate {
    /// What was cleared for a payment that the books hold, with the entry that the seller sent for it.
    fileprivate func again(_ terms: PaymentIntent.Terms, accepted: [UInt8]) -> ClearedPayment? {
        guard let entry = PaymentRequirement(received: accepted), let address = Address(hex: terms.asset),
            let payer = Address(hex: terms.payer),
            let payTo = Address(hex: terms.payTo), let token = token(network: terms.network, address: address)
        else { return nil }
        let order = PaymentOrder(
            extra: entry.extra, token: token, payer: payer, payTo: payTo, amount: terms.amount,
            validAfter: terms.validAfter, validBefore: terms.validBefore, nonce: terms.nonce)
        return again(order, by: terms.method, for: entry, value: terms.value)
    }
}
