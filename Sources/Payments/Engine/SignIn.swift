import Ethereum
import Ledger
import Logging
import Policy
import Primitives
import Wallets
import X402

/// Signing in before paying: a seller that keeps who has paid may let the same wallet read again what it bought.
///
/// Opt-in for each gateway, since it links the wallet to the request; and only where something was bought before. It gets
/// goods, so it is decided like the payment that it takes the place of: the gate has cleared that payment, policy
/// included, the books see no freeze and a cap on money, and the agent has signed in less often than it may. Its entry is
/// on disk before it is signed.
struct SignIn: Sendable {
    let store: any LedgerStore
    let table: AssetTable
    let clock: any WallClock
    let logger: Logger

    /// A sign-in whose entry is on disk: the only value that one is signed from.
    private struct Admitted {
        let intent: SignInIntent
        let statement: SignInStatement
    }

    /// The header that shows the seller who asks; nil where there is nothing to gain, or it must not be signed.
    ///
    /// The request is paid then, if the books let it.
    func header(
        for challenge: Challenge, of request: PaymentRequest, from wallet: PayingWallet,
        insteadOf payment: ClearedPayment, under policy: Bytes32?, isBuyer: Bool, at now: Timestamp,
        isStillInForce: () -> Bool
    ) async -> PaymentHeader? {
        guard request.maySignIn, request.isCapped, request.policy.signsIn, isBuyer,
            let statement = statement(in: challenge, of: request, from: wallet, at: now),
            let admitted = await admit(
                statement, of: request, terms: payment.terms(of: wallet), under: policy, at: now)
        else { return nil }
        let changed = "the configuration changed before the signature"
        if let reason = await obstacle(to: request, from: wallet) ?? (isStillInForce() ? nil : changed) {
            await withhold(admitted, reason: reason, of: request)
            return nil
        }
        do {
            return statement.header(signature: try wallet.signer.sign(Signable(statement)))
        } catch {
            logger.error("sign-in not signed", metadata: request.metadata(["problem": "\(error)"]))
            await withhold(admitted, reason: "the wallet could not sign", of: request)
            return nil
        }
    }

    /// What the seller asks to be signed, where a wallet may sign it.
    private func statement(
        in challenge: Challenge, of request: PaymentRequest, from wallet: PayingWallet, at now: Timestamp
    ) -> SignInStatement? {
        guard let entry = challenge.extensions.first(where: { $0.key == SignInChallenge.key }),
            let origin = WebOrigin(url: request.content.url)
        else { return nil }
        do {
            return try SignInChallenge.read(entry).statement(
                for: wallet.signer.address, answeredBy: origin, networks: networks, at: now)
        } catch {
            let problem = "\(error)".printable(limit: 128)
            logger.notice("no sign-in", metadata: request.metadata(["problem": "\(problem)"]))
            return nil
        }
    }

    private func admit(
        _ statement: SignInStatement, of request: PaymentRequest, terms: PaymentIntent.Terms, under policy: Bytes32?,
        at now: Timestamp
    ) async -> Admitted? {
        let intent = SignInIntent(
            purpose: request.purpose(under: policy), terms: terms, origin: request.site.origin,
            digest: statement.message.digest, limit: request.policy.signInsPerHour)
        do {
            switch try await store.admit(intent, at: now) {
            case .admitted: return Admitted(intent: intent, statement: statement)
            case .refused(let refusal):
                logger.info("sign-in refused by the books", metadata: request.metadata(["code": "\(refusal.code)"]))
            case .usedUp(let limit):
                logger.info("no sign-in is left this hour", metadata: request.metadata(["limit": "\(limit)"]))
            }
        } catch {
            logger.error("ledger not writable", metadata: request.metadata(["problem": "\(error)"]))
        }
        return nil
    }

    /// What an operator did since the request was admitted that stops the signature.
    private func obstacle(to request: PaymentRequest, from wallet: PayingWallet) async -> String? {
        do {
            let refusal = try await store.obstacle(to: request.claim, at: request.gateway, from: wallet.name)
            return refusal.map { "\($0.code) before the signature" }
        } catch {
            logger.error("freezes not readable", metadata: request.metadata(["problem": "\(error)"]))
            return "the ledger could not be read before the signature"
        }
    }

    private func withhold(_ admitted: Admitted, reason: String, of request: PaymentRequest) async {
        do {
            try await store.withhold(admitted.intent, reason: reason, at: clock.now())
        } catch {
            logger.error("ledger not writable", metadata: request.metadata(["problem": "\(error)"]))
        }
    }

    /// Accounts are the same on every network of the table.
    private var networks: Set<String> { Set(table.assets.map(\.network)) }
}

extension LedgerStore {
    /// What an operator did since a request was admitted that stops a signature for it.
    ///
    /// The number of the newest change costs one load, and it is nearly always the one that the request was admitted with.
    func obstacle(
        to claim: AgentClaim, at gateway: String, from wallet: String
    ) async throws(LedgerError) -> ReservationRefusal? {
        guard currentGeneration != claim.generation else { return nil }
        return try await rulebook().obstacle(to: claim, at: gateway, from: wallet)
    }
}

extension PaymentRequest {
    /// Who asks and whom, for log lines, with more.
    func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
        more.merging(["agent": "\(agent.name)", "gateway": "\(gateway)"]) { first, _ in first }
    }
}
