import Ledger
import Primitives

/// Which wallets have too little of a token, as a value: what sellers claim, what chains show, and when one payment is
/// tried.
///
/// A seller that claims it alone pauses nothing. A chain's reading pauses the payments that are larger than the balance;
/// without a chain, claims of two hosts pause all payments in the token. Nothing of it is kept over a restart: the next
/// claims find it out again.
struct UnfundedWallets: Sendable, Equatable {
    /// A wallet's account and a token.
    struct Purse: Sendable, Hashable {
        /// The network, CAIP-2.
        let network: String
        /// The token contract, EIP-55.
        let asset: String
        /// The account, EIP-55.
        let payer: String

        init(_ terms: PaymentIntent.Terms) {
            network = terms.network
            asset = terms.asset
            payer = terms.payer
        }

        init(network: String, asset: String, payer: String) {
            self.network = network
            self.asset = asset
            self.payer = payer
        }
    }

    /// Seconds between two payments that are tried while a wallet is paused.
    static let pause: Int64 = 60
    /// Seconds after which a claim counts no longer.
    static let claimLifetime: Int64 = 3600
    /// Hosts whose claims pause a wallet where no chain can be asked.
    static let hostsNeeded = 2
    /// The most hosts whose claims are kept for a wallet and token.
    private static let maximumHosts = 16
    /// The most wallets and tokens of which anything is kept.
    private static let maximumPurses = 1024

    private struct Standing: Equatable {
        /// When each host claimed last that there is too little.
        var claims: [String: Timestamp] = [:]
        /// What a chain shows; nil where no chain was asked.
        var balance: UInt256?
        /// When one payment is tried; nil while the wallet is not paused.
        var nextTry: Timestamp?
    }

    private var standings: [Purse: Standing] = [:]

    /// Whether nothing is known that stands against any payment.
    var isEmpty: Bool { standings.isEmpty }

    /// A host claims that a wallet has too little, and no chain can be asked; returns whether that pauses the wallet.
    mutating func claimed(by host: String, of purse: Purse, at now: Timestamp) -> Bool {
        change(purse) { standing in
            standing.claims = standing.claims.filter { now.seconds - $0.value.seconds < Self.claimLifetime }
            if standing.claims.count < Self.maximumHosts || standing.claims[host] != nil { standing.claims[host] = now }
            guard standing.nextTry == nil, standing.claims.count >= Self.hostsNeeded else { return false }
            standing.nextTry = now.adding(seconds: Self.pause)
            return true
        }
    }

    /// A chain shows what a wallet has, after a payment of `amount` was rejected; returns whether that pauses the wallet.
    mutating func shown(_ balance: UInt256, of purse: Purse, for amount: UInt256, at now: Timestamp) -> Bool {
        guard balance < amount else {
            standings[purse] = nil
            return false
        }
        return change(purse) { standing in
            standing.balance = balance
            guard standing.nextTry == nil else { return false }
            standing.nextTry = now.adding(seconds: Self.pause)
            return true
        }
    }

    /// A seller has accepted a payment: where it is one that the wallet could not have made, the wallet has more by now.
    mutating func accepted(_ amount: UInt256, of purse: Purse) {
        guard let standing = standings[purse] else { return }
        if let balance = standing.balance, amount <= balance { return }
        standings[purse] = nil
    }

    /// When one payment of this amount may be tried; nil when it may be tried now, and is the one of its minute.
    mutating func refusal(of amount: UInt256, from purse: Purse, at now: Timestamp) -> Timestamp? {
        guard let standing = standings[purse], let next = standing.nextTry else { return nil }
        if let balance = standing.balance, amount <= balance { return nil }
        guard now >= next else { return next }
        standings[purse]?.nextTry = now.adding(seconds: Self.pause)
        return nil
    }

    /// Whether ``refusal(of:from:at:)`` would make a payment of this amount the one that is tried.
    func isDue(_ amount: UInt256, from purse: Purse, at now: Timestamp) -> Bool {
        guard let standing = standings[purse], let next = standing.nextTry else { return false }
        if let balance = standing.balance, amount <= balance { return false }
        return now >= next
    }

    /// The payment that was to be tried was not signed: the next one is tried in its place.
    mutating func untried(_ purse: Purse, at now: Timestamp) {
        if standings[purse]?.nextTry != nil { standings[purse]?.nextTry = now }
    }

    private mutating func change(_ purse: Purse, _ body: (inout Standing) -> Bool) -> Bool {
        if standings[purse] == nil, standings.count >= Self.maximumPurses { return false }
        return body(&standings[purse, default: Standing()])
    }
}
