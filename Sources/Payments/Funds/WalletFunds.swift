import Ethereum
import Ledger
import Logging
import Policy
import Primitives
import Synchronization
import X402

/// Keeps count of wallets that have too little of a token, and asks the chain, where one is configured, when a seller
/// says so: after the agent has its answer.
final class WalletFunds: Sendable {
    private let witnesses: [String: any BalanceWitness]
    private let notices: OperatorNotices
    private let logger: Logger
    private let wallets = Mutex(UnfundedWallets())

    /// Makes an account over who can be asked, by network.
    init(witnesses: [String: any BalanceWitness], notices: OperatorNotices, logger: Logger) {
        self.witnesses = witnesses
        self.notices = notices
        self.logger = logger
    }

    /// What a wallet's funds mean for one payment.
    struct Turn: Sendable {
        /// Why it must not be signed now; nil when it may be.
        var pause: WalletPause?
        /// What it is tried for; nil where the wallet is not paused, or the payment must wait.
        fileprivate var purse: UnfundedWallets.Purse?
    }

    /// Asks whether a payment may be signed; ``giveBack(_:at:)`` follows when it is not.
    func ask(for payment: ClearedPayment, from wallet: PayingWallet, at now: Timestamp) -> Turn {
        let order = payment.order
        return wallets.withLock { wallets in
            guard !wallets.isEmpty else { return Turn() }
            let purse = UnfundedWallets.Purse(
                network: order.token.network, asset: order.token.addressText, payer: wallet.addressText)
            let isTried = wallets.isDue(order.amount, from: purse, at: now)
            guard let until = wallets.refusal(of: order.amount, from: purse, at: now) else {
                return Turn(purse: isTried ? purse : nil)
            }
            return Turn(
                pause: WalletPause(
                    wallet: wallet.name, account: wallet.addressText, network: order.token.network,
                    symbol: order.token.symbol, until: until))
        }
    }

    /// Nothing new was signed: a payment that was to show whether the wallet has more by now leaves that to the next one.
    func giveBack(_ turn: Turn, at now: Timestamp) {
        guard let purse = turn.purse else { return }
        wallets.withLock { $0.untried(purse, at: now) }
    }

    /// A seller has accepted a payment.
    func accepted(_ terms: PaymentIntent.Terms) {
        wallets.withLock { wallets in
            if !wallets.isEmpty { wallets.accepted(terms.amount, of: UnfundedWallets.Purse(terms)) }
        }
    }

    /// A seller says that a wallet has too little for a payment.
    func doubted(by seller: PaymentIntent.Purpose, for terms: PaymentIntent.Terms, at now: Timestamp) async {
        let purse = UnfundedWallets.Purse(terms)
        guard let witness = witnesses[terms.network] else {
            let isPaused = wallets.withLock { $0.claimed(by: seller.host, of: purse, at: now) }
            await notices.walletUnfunded(terms, at: seller.gateway, chain: .notConfigured, now: now)
            if isPaused { await notices.walletPaused(terms, because: .sellers, now: now) }
            return
        }
        guard let owner = Address(hex: terms.payer), let token = Address(hex: terms.asset) else { return }
        do {
            let reading = try await witness.balance(owner: owner, token: token)
            let isPaused = wallets.withLock { $0.shown(reading.amount, of: purse, for: terms.amount, at: now) }
            await notices.walletUnfunded(terms, at: seller.gateway, chain: .shows(reading.amount), now: now)
            if isPaused { await notices.walletPaused(terms, because: .chain(reading.amount), now: now) }
        } catch {
            logger.warning("balance not read", metadata: ["network": "\(terms.network)", "problem": "\(error)"])
            await notices.walletUnfunded(terms, at: seller.gateway, chain: .silent, now: now)
        }
    }
}
