package import Primitives

/// Which wallets have too little of a token, as a value: what sellers claim, what chains show, and when one payment is
/// tried.
///
/// A seller that claims it alone pauses nothing. A chain's reading pauses the payments that are larger than the balance;
/// without a chain, claims of two hosts pause the payments that are at least as large as those which both refused. While a
/// wallet is paused each agent has a try of its own a minute: no agent can take another one's. The books keep it, so that it
/// is common to all their holders and outlives them.
package struct UnfundedWallets: Sendable, Equatable {
    /// Seconds between two payments of one agent that are tried while a wallet is paused.
    package static let pause: Int64 = 60
    /// Seconds after which a claim no longer counts.
    package static let claimLifetime: Int64 = 3600
    /// Hosts whose claims pause a wallet where no chain can be asked.
    package static let hostsNeeded = 2
    /// The most hosts whose claims are kept for a wallet and token.
    package static let maximumHosts = 16
    /// The most wallets and tokens of which anything is kept.
    package static let maximumPurses = 1024

    /// What one host claims.
    package struct Claim: Sendable, Equatable {
        /// When it refused a payment last.
        package var at: Timestamp
        /// The smallest payment that it refused, in atomic units.
        package var amount: UInt256

        /// Makes a claim.
        package init(at: Timestamp, amount: UInt256) {
            self.at = at
            self.amount = amount
        }
    }

    /// What is known of one wallet in one token.
    package struct Standing: Sendable, Equatable {
        /// The wallet's name in the configuration, as of the last doubt.
        package var wallet: String
        /// The token's symbol.
        package var symbol: String
        /// The token's decimals.
        package var decimals: Int
        /// What each host claims that says that there is too little.
        package var claims: [String: Claim]
        /// What a chain shows, in atomic units; nil where no chain was asked.
        package var balance: UInt256?
        /// The largest payment for which there was too little, in atomic units; nil where it was not kept.
        package var largest: UInt256?
        /// The pause; nil while claims are too few.
        package var pause: Pause?

        /// Makes a standing from what the books kept.
        package init(
            wallet: String, symbol: String, decimals: Int, claims: [String: Claim] = [:], balance: UInt256? = nil,
            largest: UInt256? = nil, pause: Pause? = nil
        ) {
            self.wallet = wallet
            self.symbol = symbol
            self.decimals = decimals
            self.claims = claims
            self.balance = balance
            self.largest = largest
            self.pause = pause
        }

        /// Whether a payment of this amount has to wait for its turn to be tried.
        fileprivate func isPaused(for amount: UInt256) -> Bool {
            guard pause != nil else { return false }
            if let balance { return amount > balance }
            return refusedByEnough.map { amount >= $0 } ?? false
        }

        /// The smallest payment that enough hosts would refuse, by what they refused; nil while they are too few.
        package var refusedByEnough: UInt256? {
            let amounts = claims.values.map(\.amount).sorted()
            return amounts.count >= hostsNeeded ? amounts[hostsNeeded - 1] : nil
        }
    }

    /// A pause of a wallet in a token.
    package struct Pause: Sendable, Equatable {
        /// When it began.
        package var since: Timestamp
        /// When agents may try a payment that have tried none in the last minute.
        package var nextTry: Timestamp
        /// When the others may, by name.
        package var tries: [String: Timestamp]

        /// Makes a pause.
        package init(since: Timestamp, nextTry: Timestamp, tries: [String: Timestamp] = [:]) {
            self.since = since
            self.nextTry = nextTry
            self.tries = tries
        }

        /// When an agent may try a payment.
        package func nextTry(of agent: String) -> Timestamp { tries[agent].map { max($0, nextTry) } ?? nextTry }

        fileprivate mutating func tried(by agent: String, at now: Timestamp) {
            tries = tries.filter { now < $0.value }
            tries[agent] = now.adding(seconds: UnfundedWallets.pause)
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
            // Enough for this payment may be too little for those before.
            if let largest = standings[purse]?.largest, balance < largest {
                standings[purse]?.balance = balance
            } else {
                standings[purse] = nil
            }
            return false
        }
        guard standings[purse] != nil || standings.count < Self.maximumPurses else { return false }
        var standing =
            standings[purse] ?? Standing(wallet: terms.wallet, symbol: terms.symbol, decimals: terms.decimals)
        standing.wallet = terms.wallet
        standing.largest = max(standing.largest ?? terms.amount, terms.amount)
        let isShort: Bool
        switch doubt {
        case .claim(let host):
            standing.claims = standing.claims.filter { now.seconds - $0.value.at.seconds < Self.claimLifetime }
            if standing.claims.count < Self.maximumHosts || standing.claims[host] != nil {
                let smallest = min(standing.claims[host]?.amount ?? terms.amount, terms.amount)
                standing.claims[host] = Claim(at: now, amount: smallest)
            }
            isShort = standing.balance != nil || standing.refusedByEnough != nil
            if !isShort { standing.pause = nil }
        case .balance(let balance):
            standing.balance = balance
            isShort = true
        }
        let isNew = isShort && standing.pause == nil
        if isNew { standing.pause = Pause(since: now, nextTry: now.adding(seconds: Self.pause)) }
        standings[purse] = standing
        return isNew
    }

    /// Why a payment of an agent must not be made now; nil when it may be, which ``reserved(_:by:at:)`` then takes note of.
    package func pause(of terms: PaymentIntent.Terms, by agent: String, at now: Timestamp) -> WalletPause? {
        guard let standing = standings[Purse(terms)], standing.isPaused(for: terms.amount),
            let next = standing.pause?.nextTry(of: agent), now < next
        else { return nil }
        return WalletPause(
            wallet: terms.wallet, account: terms.payer, network: terms.network, symbol: terms.symbol, until: next)
    }

    /// Money is reserved for a payment: while its wallet is paused it is the one that its agent tries.
    package mutating func reserved(_ terms: PaymentIntent.Terms, by agent: String, at now: Timestamp) {
        let purse = Purse(terms)
        guard standings[purse]?.isPaused(for: terms.amount) == true else { return }
        standings[purse]?.pause?.tried(by: agent, at: now)
    }

    /// A reserved payment was not sent: the agent's next one is tried in its place.
    package mutating func unsent(_ terms: PaymentIntent.Terms, by agent: String) {
        let purse = Purse(terms)
        guard standings[purse]?.isPaused(for: terms.amount) == true else { return }
        standings[purse]?.pause?.tries[agent] = nil
    }

    /// A seller has accepted a payment: where it is one that the wallet could not have made, the wallet has more by now.
    package mutating func accepted(_ terms: PaymentIntent.Terms) {
        let purse = Purse(terms)
        guard var standing = standings[purse] else { return }
        if let balance = standing.balance {
            if terms.amount > balance { standings[purse] = nil }
            return
        }
        standing.claims = standing.claims.filter { $0.value.amount > terms.amount }
        if standing.refusedByEnough == nil { standing.pause = nil }
        standings[purse] = standing.claims.isEmpty ? nil : standing
    }
}
