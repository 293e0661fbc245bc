package import Primitives

/// Which wallets have too little of a token, as a value: what sellers claim, what chains show, and when one payment is
/// tried.
///
/// A seller that claims it alone pauses nothing. A chain's reading pauses the payments that are larger than the balance;
/// without a chain, claims of two hosts pause all payments in the token. The books keep it, so that it is common to all
/// their holders and outlives them.
package struct UnfundedWallets: Sendable, Equatable {
    /// Seconds between two payments that are tried while a wallet is paused.
    package static let pause: Int64 = 60
    /// Seconds after which a claim no longer counts.
    package static let claimLifetime: Int64 = 3600
    /// Hosts whose claims pause a wallet where no chain can be asked.
    package static let hostsNeeded = 2
    /// The most hosts whose claims are kept for a wallet and token.
    package static let maximumHosts = 16
    /// The most wallets and tokens of which anything is kept.
    package static let maximumPurses = 1024

    /// What is known of one wallet in one token.
    package struct Standing: Sendable, Equatable {
        /// The wallet's name in the configuration, as of the last doubt.
        package var wallet: String
        /// The token's symbol.
        package var symbol: String
        /// The token's decimals.
        package var decimals: Int
        /// When each host claimed last that there is too little.
        package var claims: [String: Timestamp]
        /// What a chain shows, in atomic units; nil where no chain was asked.
        package var balance: UInt256?
        /// The pause; nil while claims are too few.
        package var pause: Pause?

        /// Makes a standing from what the books kept.
        package init(
            wallet: String, symbol: String, decimals: Int, claims: [String: Timestamp] = [:], balance: UInt256? = nil,
            pause: Pause? = nil
        ) {
            self.wallet = wallet
            self.symbol = symbol
            self.decimals = decimals
            self.claims = claims
            self.balance = balance
            self.pause = pause
        }

        /// Whether a payment of this amount has to wait for its turn to be tried.
        fileprivate func isPaused(for amount: UInt256) -> Bool {
            pause != nil && balance.map { amount > $0 } ?? true
        }
    }

    /// A pause of a wallet in a token.
    package struct Pause: Sendable, Equatable {
        /// When it began.
        package var since: Timestamp
        /// When one payment is tried.
        package var nextTry: Timestamp

        /// Makes a pause.
        package init(since: Timestamp, nextTry: Timestamp) {
            self.since = since
            self.nextTry = nextTry
        }
    }

    /// What is known, by wallet and token.
    package private(set) var standings: [Purse: Standing]

    /// Makes a value from what the books kept; without arguments, of wallets that nobody doubts.
    package init(standings: [Purse: Standing] = [:]) {
        self.standings = standings
    }

    /// Whether nothing is known that is against any payment.
    package var isEmpty: Bool { standings.isEmpty }

    /// Something is learnt about a wallet's funds after a payment was rejected; returns whether that pauses the wallet.
    package mutating func doubt(_ terms: PaymentIntent.Terms, _ doubt: FundsDoubt, at now: Timestamp) -> Bool {
        let purse = Purse(terms)
        if case .balance(let balance) = doubt, balance >= terms.amount {
            standings[purse] = nil
            return false
        }
        guard standings[purse] != nil || standings.count < Self.maximumPurses else { return false }
        var standing =
            standings[purse] ?? Standing(wallet: terms.wallet, symbol: terms.symbol, decimals: terms.decimals)
        standing.wallet = terms.wallet
        let isShort: Bool
        switch doubt {
        case .claim(let host):
            standing.claims = standing.claims.filter { now.seconds - $0.value.seconds < Self.claimLifetime }
            if standing.claims.count < Self.maximumHosts || standing.claims[host] != nil { standing.claims[host] = now }
            isShort = standing.claims.count >= Self.hostsNeeded
        case .balance(let balance):
            standing.balance = balance
            isShort = true
        }
        let isNew = isShort && standing.pause == nil
        if isNew { standing.pause = Pause(since: now, nextTry: now.adding(seconds: Self.pause)) }
        standings[purse] = standing
        return isNew
    }

    /// Why a payment must not be made now; nil when it may be, which ``reserved(_:at:)`` then takes note of.
    package func pause(of terms: PaymentIntent.Terms, at now: Timestamp) -> WalletPause? {
        guard let standing = standings[Purse(terms)], standing.isPaused(for: terms.amount),
            let next = standing.pause?.nextTry, now < next
        else { return nil }
        return WalletPause(
            wallet: terms.wallet, account: terms.payer, network: terms.network, symbol: terms.symbol, until: next)
    }

    /// Money is reserved for a payment: while its wallet is paused it is the one that is tried.
    package mutating func reserved(_ terms: PaymentIntent.Terms, at now: Timestamp) {
        let purse = Purse(terms)
        guard standings[purse]?.isPaused(for: terms.amount) == true else { return }
        standings[purse]?.pause?.nextTry = now.adding(seconds: Self.pause)
    }

    /// A reserved payment was not sent: the next one is tried in its place.
    package mutating func unsent(_ terms: PaymentIntent.Terms, at now: Timestamp) {
        let purse = Purse(terms)
        guard standings[purse]?.isPaused(for: terms.amount) == true else { return }
        standings[purse]?.pause?.nextTry = now
    }

    /// A seller has accepted a payment: where it is one that the wallet could not have made, the wallet has more by now.
    package mutating func accepted(_ terms: PaymentIntent.Terms) {
        let purse = Purse(terms)
        guard let standing = standings[purse] else { return }
        if let balance = standing.balance, terms.amount <= balance { return }
        standings[purse] = nil
    }
}
