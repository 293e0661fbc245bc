package import Primitives

/// Where money stands in the books.
///
/// Each account is kept for each asset it holds.
package enum Account: Sendable, Hashable {
    /// A wallet's own money, by address.
    case wallet(String)
    /// Set aside for an agent: somebody may still take it.
    case exposed(agent: String)
    /// Taken to be spent by an agent at a payee, unproven.
    case presumed(agent: String, payee: String)
    /// Spent by an agent at a payee.
    case spent(agent: String, payee: String)
    /// What a wallet held when its books began.
    case opening(String)
    /// What was put into a wallet since.
    case topUp(String)
    /// What left a wallet without a payment.
    case writeOff(String)
    /// Calls an agent made through a prepaid gateway.
    case metered(agent: String, gateway: String)
    /// Calls a prepaid gateway served.
    case prepaid(gateway: String)
}

extension Account: CustomStringConvertible {
    /// The name in the books: the kind, and whose it is, with colons between.
    package var description: String {
        switch self {
        case .wallet(let address): "wallet:\(address)"
        case .exposed(let agent): "exposed:\(agent)"
        case .presumed(let agent, let payee): "presumed:\(agent):\(payee)"
        case .spent(let agent, let payee): "spent:\(agent):\(payee)"
        case .opening(let address): "opening:\(address)"
        case .topUp(let address): "top-up:\(address)"
        case .writeOff(let address): "write-off:\(address)"
        case .metered(let agent, let gateway): "metered:\(agent):\(gateway)"
        case .prepaid(let gateway): "prepaid:\(gateway)"
        }
    }

    /// Reads what ``description`` writes; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        switch (parts.first, parts.count) {
        case ("wallet", 2): self = .wallet(parts[1])
        case ("exposed", 2): self = .exposed(agent: parts[1])
        case ("presumed", 3): self = .presumed(agent: parts[1], payee: parts[2])
        case ("spent", 3): self = .spent(agent: parts[1], payee: parts[2])
        case ("opening", 2): self = .opening(parts[1])
        case ("top-up", 2): self = .topUp(parts[1])
        case ("write-off", 2): self = .writeOff(parts[1])
        case ("metered", 3): self = .metered(agent: parts[1], gateway: parts[2])
        case ("prepaid", 2): self = .prepaid(gateway: parts[1])
        default: return nil
        }
    }
}

/// An amount that moves from one account to another: both sides of a double entry in one value.
package struct Transfer: Sendable, Equatable {
    /// The account that gains.
    package let debit: Account
    /// The account that loses.
    package let credit: Account
    /// The asset: `network/address` of a token, or `calls`.
    package let asset: String
    /// Atomic units of it.
    package let amount: UInt256

    /// Makes a transfer.
    package init(debit: Account, credit: Account, asset: String, amount: UInt256) {
        self.debit = debit
        self.credit = credit
        self.asset = asset
        self.amount = amount
    }
}

/// What was ever moved into and out of an account.
package struct AccountBalance: Sendable, Equatable {
    /// The account.
    package let account: Account
    /// The asset.
    package let asset: String
    /// Everything that came in.
    package let debits: UInt256
    /// Everything that went out.
    package let credits: UInt256

    /// Makes a balance.
    package init(account: Account, asset: String, debits: UInt256, credits: UInt256) {
        self.account = account
        self.asset = asset
        self.debits = debits
        self.credits = credits
    }
}

extension AccountBalance: Comparable {
    package static func < (left: AccountBalance, right: AccountBalance) -> Bool {
        (left.account.description, left.asset) < (right.account.description, right.asset)
    }
}

/// Money that came into a wallet, or left it, without a payment of ours.
package struct Adjustment: Sendable, Equatable {
    /// What happened.
    ///
    /// Raw values are typed by operators.
    package enum Kind: String, Sendable, CaseIterable {
        /// What the wallet held when its books began.
        case opening
        /// Money was put into the wallet.
        case topUp = "top-up"
        /// Money left the wallet, or never was there.
        case writeOff = "write-off"
    }

    /// What happened.
    package let kind: Kind
    /// The wallet's address, EIP-55.
    package let wallet: String
    /// The token as `network/address`.
    package let asset: String
    /// Atomic units.
    package let amount: UInt256
    /// The operator's words.
    package let note: String?

    /// Makes an adjustment.
    package init(kind: Kind, wallet: String, asset: String, amount: UInt256, note: String?) {
        self.kind = kind
        self.wallet = wallet
        self.asset = asset
        self.amount = amount
        self.note = note
    }

    /// What is booked for it.
    package var transfer: Transfer {
        switch kind {
        case .opening: Transfer(debit: .wallet(wallet), credit: .opening(wallet), asset: asset, amount: amount)
        case .topUp: Transfer(debit: .wallet(wallet), credit: .topUp(wallet), asset: asset, amount: amount)
        case .writeOff: Transfer(debit: .writeOff(wallet), credit: .wallet(wallet), asset: asset, amount: amount)
        }
    }
}

extension PaymentIntent.Terms {
    /// The token as accounts and caps name it: `network/address`.
    package var assetName: String { "\(network)/\(asset)" }

    /// The account that holds a payment's amount in a state; nil for one that was never set aside.
    func account(holding state: PaymentState, for agent: String) -> Account? {
        switch state {
        case .refused: nil
        case .voided, .released, .lapsed: .wallet(payer)
        case .reserved, .resumed, .rejected, .inDoubt: .exposed(agent: agent)
        case .presumed: .presumed(agent: agent, payee: payTo)
        case .settled, .confirmed: .spent(agent: agent, payee: payTo)
        }
    }

    /// What goes back to the wallet when a payment in `state` turns out to have moved less than was signed; nil when
    /// nothing does.
    package func transfer(freeing moved: UInt256, in state: PaymentState, for agent: String) -> Transfer? {
        guard let source = account(holding: state, for: agent), let rest = amount.subtracting(moved), !rest.isZero
        else { return nil }
        return Transfer(debit: .wallet(payer), credit: source, asset: assetName, amount: rest)
    }

    /// What a step from one state to the next moves; nil when the amount stays where it is.
    package func transfer(from: PaymentState?, to: PaymentState, for agent: String) -> Transfer? {
        let source = from.map { account(holding: $0, for: agent) } ?? .wallet(payer)
        guard let source, let target = account(holding: to, for: agent), source != target else { return nil }
        return Transfer(debit: target, credit: source, asset: assetName, amount: amount)
    }
}
