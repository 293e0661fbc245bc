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

    /// How old a reading may be that suffices, in seconds; one that does not is read anew.
    private static let maximumAge: Int64 = 600

    /// A seller has said that a wallet's allowance is too small, whatever is remembered of it.
    func forget(_ terms: PaymentIntent.Terms) async {
        guard let owner = Address(hex: terms.payer) else { return }
        await witnesses[terms.network]?.forget(owner: owner)
    }

    /// What is missing; nil when nothing is, or nobody can say: then the seller finds out.
    func missing(for payment: ClearedPayment, from wallet: PayingWallet) async -> MissingAllowance? {
        let order = payment.order
        guard payment.keeper == .permit2, let witness = witnesses[order.token.network] else { return nil }
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
