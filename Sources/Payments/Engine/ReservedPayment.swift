import Ethereum
import Ledger
import Policy
import Primitives
import Wallets
import X402

/// What was vetted, with its reservation on disk: the only value that the signing step takes.
///
/// Nothing but ``Reserving/reserve(_:of:for:from:at:)`` can make one: from a vetted payment that the books have just
/// set money aside for, or from the row of an attempt that the books have just handed over. So no signature exists
/// before its row, and no row is ever signed for with other values than its own.
struct ReservedPayment: Sendable {
    let reservation: Reservation
    /// Whether the row is an earlier attempt of the same request.
    let isAdopted: Bool
    private let terms: PaymentIntent.Terms
    private let echo: PaymentIntent.Echo
    private let authorization: ExactAuthorization
    private let domainSeparator: Bytes32
    private let answerWithin: Int64

    var id: PaymentID { reservation.record.id }

    /// The event for a payment of which this process sends nothing: what was sent once can never be taken back.
    var unsent: PaymentEvent { isAdopted ? .lostSight : .neverSent }

    /// What was vetted, once the books have set its amount aside.
    fileprivate init?(_ reservation: Reservation, for vetted: VettedPayment) {
        guard let terms = reservation.record.terms, let echo = reservation.record.echo else { return nil }
        self.reservation = reservation
        self.terms = terms
        self.echo = echo
        isAdopted = false
        authorization = vetted.authorization(nonce: terms.nonce)
        domainSeparator = vetted.domainSeparator
        answerWithin = vetted.answerWithin
    }

    /// An earlier attempt as its row tells it; nil when this wallet or this table cannot give its bytes again.
    ///
    /// `vetted` is what the seller asks this time. It was vetted like any other, and what it says of money is not
    /// used.
    fileprivate init?(
        adopting reservation: Reservation, for request: PaymentRequest, from wallet: PayingWallet,
        vetted: VettedPayment, table: AssetTable
    ) {
        let record = reservation.record
        guard let terms = record.terms, let echo = record.echo, terms.scheme == "exact",
            terms.wallet == wallet.name, terms.payer == wallet.addressText, record.purpose.agent == request.agent.name,
            record.purpose.request?.fingerprint == request.content.fingerprint,
            let token = Address(hex: terms.asset), let payTo = Address(hex: terms.payTo),
            let separator = table.asset(network: terms.network, address: token)?.domainSeparator
        else { return nil }
        self.reservation = reservation
        self.terms = terms
        self.echo = echo
        isAdopted = true
        authorization = ExactAuthorization(
            from: wallet.signer.address, to: payTo, value: terms.amount, validAfter: terms.validAfter,
            validBefore: terms.validBefore, nonce: terms.nonce)
        domainSeparator = separator
        answerWithin = vetted.answerWithin
    }

    /// The signature is not the one that was sent for this row before.
    struct DifferentSignature: Error {}

    /// Signs and writes the header; throws when the key does not give a signature of its own address, or not the one
    /// that was sent before.
    func authorize(with signer: any Signer) throws -> AuthorizedPayment? {
        let signature = try signer.sign(digest: authorization.digest(domainSeparator: domainSeparator))
        if let known = reservation.record.evidence.signature, known != signature.bytes { throw DifferentSignature() }
        let header = PaymentHeader.rebuild(
            version: echo.version, payload: authorization.payload(signature: signature), accepted: echo.accepted,
            resource: echo.resource, extensions: echo.extensions)
        guard let header else { return nil }
        return AuthorizedPayment(
            id: id, header: header, terms: terms, signature: signature.bytes, usage: reservation.usage,
            answerWithin: answerWithin, isAdopted: isAdopted, state: reservation.record.state,
            fingerprint: reservation.record.purpose.request?.fingerprint ?? .zero)
    }
}

/// The step between vetting and signing: the books set money aside or hand an earlier attempt over.
struct Reserving: Sendable {
    let store: any LedgerStore
    let table: AssetTable
    let random: any RandomSource

    enum Failure: Error {
        case refused(ReservationRefusal, PaymentID)
        /// An attempt was handed over whose bytes cannot be made again here.
        case notRebuildable(PaymentRecord)
        case books(LedgerError)
        case randomness
    }

    func reserve(
        _ vetted: VettedPayment, of challenge: Challenge, for request: PaymentRequest, from wallet: PayingWallet,
        at now: Timestamp
    ) async throws(Failure) -> ReservedPayment {
        let intent = try intent(vetted, of: challenge, for: request, from: wallet, at: now)
        let outcome: ReservationOutcome
        do {
            outcome = try await store.reserve(
                ReservationRequest(intent, idempotencyKey: request.idempotencyKey, rules: request.policy.rules),
                at: now)
        } catch {
            throw .books(error)
        }
        switch outcome {
        case .reserved(let reservation):
            guard let payment = ReservedPayment(reservation, for: vetted) else {
                throw .books(.damaged("payment \(intent.id)"))
            }
            return payment
        case .adopted(let reservation):
            let payment = ReservedPayment(
                adopting: reservation, for: request, from: wallet, vetted: vetted, table: table)
            guard let payment else { throw .notRebuildable(reservation.record) }
            return payment
        case .refused(let refusal): throw .refused(refusal, intent.id)
        }
    }

    private func intent(
        _ vetted: VettedPayment, of challenge: Challenge, for request: PaymentRequest, from wallet: PayingWallet,
        at now: Timestamp
    ) throws(Failure) -> PaymentIntent {
        do {
            let id = PaymentID(at: now, random: try random.bytes32())
            let nonce = Bytes32(nonceAt: now, random: try random.bytes32())
            return PaymentIntent(
                id: id, purpose: request.purpose, terms: vetted.terms(of: wallet, nonce: nonce),
                echo: PaymentIntent.Echo(
                    version: challenge.version, accepted: vetted.requirement.raw, resource: challenge.resource,
                    extensions: ExtensionEcho.object(for: challenge.extensions, identifier: id.description)),
                salt: try random.bytes32())
        } catch {
            throw .randomness
        }
    }
}

extension VettedPayment {
    fileprivate var answerWithin: Int64 { requirement.maxTimeoutSeconds ?? Vetting.defaultValidity }

    fileprivate func terms(of wallet: PayingWallet, nonce: Bytes32) -> PaymentIntent.Terms {
        PaymentIntent.Terms(
            scheme: requirement.scheme, network: asset.network, asset: asset.addressText,
            symbol: asset.symbol, decimals: asset.decimals, wallet: wallet.name, payer: wallet.addressText,
            payTo: payTo.checksummed, amount: requirement.amount, value: value, nonce: nonce, validAfter: validAfter,
            validBefore: validBefore)
    }
}
