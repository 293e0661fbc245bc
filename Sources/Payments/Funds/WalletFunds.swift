import Ethereum
import Ledger
import Logging
import Primitives

/// Finds out about wallets of which a seller says that they have too little of a token: asks the chain, where one is
/// configured, after the agent has its answer, and leaves the rest to the books.
struct WalletFunds: Sendable {
    let store: any LedgerStore
    /// Who can be asked, by network.
    let witnesses: [String: any BalanceWitness]
    let notices: OperatorNotices
    let logger: Logger

    /// A seller says that a wallet has too little for a payment.
    func doubted(by seller: PaymentIntent.Purpose, for terms: PaymentIntent.Terms, at now: Timestamp) async {
        guard let witness = witnesses[terms.network] else {
            let isPaused = await book(.claim(host: seller.host), of: terms, at: now)
            await notices.walletUnfunded(terms, at: seller.gateway, chain: .notConfigured, now: now)
            if isPaused { await notices.walletPaused(terms, because: .sellers, now: now) }
            return
        }
        guard let owner = Address(hex: terms.payer), let token = Address(hex: terms.asset) else { return }
        do {
            let reading = try await witness.balance(owner: owner, token: token)
            let isPaused = await book(.balance(reading.amount), of: terms, at: now)
            await notices.walletUnfunded(terms, at: seller.gateway, chain: .shows(reading.amount), now: now)
            if isPaused { await notices.walletPaused(terms, because: .chain(reading.amount), now: now) }
        } catch {
            logger.warning("balance not read", metadata: ["network": "\(terms.network)", "problem": "\(error)"])
            await notices.walletUnfunded(terms, at: seller.gateway, chain: .silent, now: now)
        }
    }

    /// Whether the books have paused the wallet because of it.
    private func book(_ doubt: FundsDoubt, of terms: PaymentIntent.Terms, at now: Timestamp) async -> Bool {
        do {
            return try await store.doubtFunds(of: terms, doubt, at: now)
        } catch {
            logger.error(
                "shortage of funds not booked", metadata: ["wallet": "\(terms.wallet)", "problem": "\(error)"])
            return false
        }
    }
}
