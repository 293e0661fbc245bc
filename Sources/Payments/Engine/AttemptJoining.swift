import Ledger
import Logging
import Primitives

/// The step by which a request joins the answer that is open to an earlier identical one, within its decision.
struct AttemptJoining: Sendable {
    let store: any LedgerStore
    let clock: any WallClock
    let logger: Logger

    /// What is open to earlier identical requests, as far as it is there for a request that may still be paid for.
    func attempt(
        like request: PaymentRequest, from wallet: PayingWallet, among open: (any OpenAttempts)?,
        withdrawal: Withdrawal
    ) async -> OpenAttempt {
        let fingerprint = request.content.fingerprint
        guard let open, open.isOpen(fingerprint), !withdrawal.isWithdrawn else { return .none }
        // Under a freeze nothing is taken over, and an agent that was removed has no answer: the books say so.
        do {
            let rules = try await store.rulebook()
            guard rules.obstacle(to: request.claim, at: request.gateway, from: wallet.name) == nil else { return .none }
        } catch {
            return .none
        }
        return open.find(fingerprint)
    }

    /// Books that a request has the payment whose answer it joins; false where the payment is resolved, or another
    /// request's.
    ///
    /// Others then find an attempt whose agent is connected, and leave it alone.
    func handOver(_ payment: PaymentID, to request: PaymentRequest) async -> Bool {
        logger.info(
            "joins the answer to an earlier identical request", metadata: request.metadata(["payment": "\(payment)"]))
        do {
            _ = try await store.book(.adopted, of: payment, evidence: PaymentEvidence(), at: clock.now())
            return true
        } catch {
            if case .impossible = error { return false }
            logger.error(
                "joined payment not handed over",
                metadata: request.metadata(["payment": "\(payment)", "problem": "\(error)"]))
            return false
        }
    }
}
