import Ethereum
import Ledger
import Logging
import Policy
import Primitives
import X402

/// What a payment through Permit2 lacks: the wallet's own permission for Permit2 to move so much of the token.
package struct MissingAllowance: Sendable, Equatable {
    /// The network, CAIP-2.
    package let network: String
    /// The token's symbol.
    package let symbol: String
    /// The wallet's name.
    package let wallet: String
    /// What is allowed now, in whole tokens; nil where only the seller's word is known.
    package let allowed: String?

    /// What an operator types.
    package var command: String { "purser wallet approve \(wallet) --network \(network) --asset \(symbol) --amount …" }
}

/// Looks at the chain before a payment through Permit2 is signed, where a chain is configured: a seller would refuse it,
/// and the signature would stay exposed for nothing.
struct AllowanceCheck: Sendable {
    /// Who can be asked, by network.
    let witnesses: [String: any AllowanceWitness]
    let logger: Logger
    let turns: ApprovalTurns

    /// How a payment stands with the wallet's allowance.
    enum Standing {
        /// Nothing is missing, or nobody can say: then the seller finds out.
        case enough
        /// The seller's facilitator gives it, if this goes with the payment; the account's turn is taken for it.
        case sponsored(ExtensionAnswer, turn: ApprovalTurns.Turn)
        /// This is missing.
        case missing(MissingAllowance)
    }

    /// How old a reading may be that suffices, in seconds; one that does not is read anew.
    private static let maximumAge: Int64 = 600

    init(witnesses: [String: any AllowanceWitness], turns: ApprovalTurns, logger: Logger) {
        self.witnesses = witnesses
        self.turns = turns
        self.logger = logger
    }

    /// A seller has said that a wallet's allowance is too small, whatever is remembered of it.
    func forget(_ terms: PaymentIntent.Terms) async {
        guard let owner = Address(hex: terms.payer) else { return }
        await witnesses[terms.network]?.forget(owner: owner)
    }

    /// How an agent's payment stands, once those before it that carry an approval of the same account are through.
    func standing(
        of payment: ClearedPayment, by agent: String, from wallet: PayingWallet, offered: [Challenge.Extension]
    ) async -> Standing {
        let network = payment.order.token.network
        guard payment.keeper == .permit2, let witness = witnesses[network],
            let missing = await missing(for: payment, from: wallet, by: witness)
        else { return .enough }
        guard Sponsoring.isOffered(in: offered) else { return .missing(missing) }
        let account = ApprovalTurns.Account(network: network, payer: payment.order.payer)
        guard let turn = await turns.take(account, for: agent) else { return .missing(missing) }
        // Whoever had the turn before may have left an allowance.
        guard await self.missing(for: payment, from: wallet, by: witness) != nil else {
            turns.end(turn)
            return .enough
        }
        let sponsoring = Sponsoring(witness: witness, logger: logger)
        if let answer = await sponsoring.answer(to: offered, for: payment, from: wallet) {
            return .sponsored(answer, turn: turn)
        }
        turns.end(turn)
        return .missing(missing)
    }

    /// The taken turn lasts until the outcome of this payment, or ends now when nothing was signed.
    func keep(_ turn: ApprovalTurns.Turn, for payment: PaymentID?) {
        guard let payment else { return turns.end(turn) }
        turns.assign(turn, to: payment)
    }

    /// The outcome of a payment is known.
    func outcomeIsKnown(of payment: PaymentID) { turns.end(payment) }

    private func missing(
        for payment: ClearedPayment, from wallet: PayingWallet, by witness: any AllowanceWitness
    ) async -> MissingAllowance? {
        let order = payment.order
        do {
            for age in [Self.maximumAge, 0] {
                let reading = try await witness.allowance(
                    owner: order.payer, token: order.token.address, spender: Permit2.address, maximumAge: age)
                if reading.amount >= order.amount { return nil }
                guard age == 0 else { continue }
                return MissingAllowance(
                    network: order.token.network, symbol: order.token.symbol, wallet: wallet.name,
                    allowed: TokenAmount.decimalText(of: reading.amount, decimals: order.token.decimals))
            }
        } catch {
            logger.warning(
                "allowance not read", metadata: ["network": "\(order.token.network)", "problem": "\(error)"])
        }
        return nil
    }
}
