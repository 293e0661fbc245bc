import Ethereum
import Ledger
import Policy
import Primitives
import Wallets
import X402

/// A vetted payment whose reservation is on disk: the only value that the signing step takes.
///
/// Nothing but ``reserve(_:for:wallet:extensions:in:random:at:)`` can make one, so no signature exists before its row.
struct ReservedPayment: Sendable {
    let vetted: VettedPayment
    let intent: PaymentIntent
    let usage: [CapUsage]

    private init(vetted: VettedPayment, intent: PaymentIntent, usage: [CapUsage]) {
        self.vetted = vetted
        self.intent = intent
        self.usage = usage
    }

    enum Failure: Error {
        case caps(CapRefusal, PaymentID)
        case books(LedgerError)
        case randomness
    }

    static func reserve(
        _ vetted: VettedPayment, of challenge: Challenge, for request: PaymentRequest, wallet: PayingWallet,
        in store: any LedgerStore, random: any RandomSource, at now: Timestamp
    ) async throws(Failure) -> ReservedPayment {
        let id: PaymentID
        let nonce: Bytes32
        do {
            id = PaymentID(random: try random.bytes32())
            nonce = try random.bytes32()
        } catch {
            throw .randomness
        }
        let intent = PaymentIntent(
            id: id, purpose: request.purpose, terms: vetted.terms(of: wallet, nonce: nonce),
            echo: PaymentIntent.Echo(
                version: challenge.version, accepted: vetted.requirement.raw, resource: challenge.resource,
                extensions: ExtensionEcho.object(for: challenge.extensions, identifier: id.description)))
        let outcome: ReservationOutcome
        do {
            outcome = try await store.reserve(intent, at: now)
        } catch {
            throw .books(error)
        }
        switch outcome {
        case .reserved(_, let usage): return ReservedPayment(vetted: vetted, intent: intent, usage: usage)
        case .refused(let refusal): throw .caps(refusal, id)
        }
    }

    /// Signs what was vetted and writes the header; throws when the key does not give a signature of its own address.
    func authorize(with signer: any Signer) throws -> AuthorizedPayment? {
        let authorization = vetted.authorization(nonce: intent.terms.nonce)
        let signature = try signer.sign(digest: authorization.digest(domainSeparator: vetted.domainSeparator))
        let echo = intent.echo
        let header = PaymentHeader.rebuild(
            version: echo.version, payload: authorization.payload(signature: signature), accepted: echo.accepted,
            resource: echo.resource, extensions: echo.extensions)
        guard let header else { return nil }
        return AuthorizedPayment(
            id: intent.id, header: header, terms: intent.terms, signature: signature.bytes, usage: usage,
            answerWithin: vetted.requirement.maxTimeoutSeconds ?? Vetting.defaultValidity)
    }
}

extension VettedPayment {
    func terms(of wallet: PayingWallet, nonce: Bytes32) -> PaymentIntent.Terms {
        PaymentIntent.Terms(
            scheme: requirement.scheme, network: asset.network, asset: asset.addressText,
            symbol: asset.symbol, decimals: asset.decimals, wallet: wallet.name, payer: wallet.addressText,
            payTo: payTo.checksummed, amount: requirement.amount, value: value, nonce: nonce, validAfter: validAfter,
            validBefore: validBefore)
    }
}
