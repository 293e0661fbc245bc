import Ethereum
import Logging
import Policy
import X402

/// Makes the approval by which a seller's facilitator gives the allowance that a payment lacks, and pays for it.
///
/// A permit goes first, since it allows no more than the payment. The unlimited approval is made only for tokens for which
/// the operator has said so, once each.
struct Sponsoring: Sendable {
    let witness: any AllowanceWitness
    let logger: Logger

    /// Whether a seller offers either way.
    static func isOffered(in extensions: [Challenge.Extension]) -> Bool {
        extensions.contains { $0.key == EIP2612Sponsoring.key || $0.key == ERC20ApprovalSponsoring.key }
    }

    /// What goes with the payment, unsigned; nil where nothing can.
    func answer(
        to offered: [Challenge.Extension], for payment: ClearedPayment, from wallet: PayingWallet
    ) async -> ExtensionAnswer? {
        if offered.contains(where: { $0.key == EIP2612Sponsoring.key }),
            let answer = await read("permits", of: payment, { try await permit(for: payment) })?.entry(in: offered)
        {
            return answer
        }
        guard offered.contains(where: { $0.key == ERC20ApprovalSponsoring.key }),
            wallet.sponsoredApprovals.contains(where: { $0.matches(payment.order.token) })
        else { return nil }
        return await read("transactions", of: payment, { try await approval(for: payment) })?.entry(in: offered)
    }

    private func permit(for payment: ClearedPayment) async throws -> SponsoredApproval? {
        guard payment.order.token.domainSeparator != nil else { return nil }
        let nonce = try await witness.permitNonce(owner: payment.order.payer, token: payment.order.token.address)
        return payment.permit(nonce: nonce)
    }

    private func approval(for payment: ClearedPayment) async throws -> SponsoredApproval? {
        let nonce = try await witness.nextTransactionNumber(of: payment.order.payer)
        return payment.approval(nonce: nonce, fee: try await witness.fee())
    }

    private func read(
        _ what: String, of payment: ClearedPayment, _ body: () async throws -> SponsoredApproval?
    ) async -> SponsoredApproval? {
        do {
            return try await body()
        } catch {
            logger.warning(
                "no number for \(what), so none is signed",
                metadata: ["network": "\(payment.order.token.network)", "problem": "\(error)"])
            return nil
        }
    }
}

extension SponsoredApproval {
    /// The seller's entry with everything but the signature; nil when it cannot take that.
    fileprivate func entry(in offered: [Challenge.Extension]) -> ExtensionAnswer? { try? answer(to: offered) }
}
