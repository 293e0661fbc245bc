package import Ethereum
package import Primitives
package import X402

/// What a gateway's configuration lets the gate approve.
package struct GateRules: Sendable, Equatable {
    /// What to do about something that is unusual and may be honest.
    ///
    /// Raw values are the configuration's words.
    package enum Reaction: String, Sendable, CaseIterable {
        /// Pay, and tell the operator.
        case alert
        /// Let a person decide.
        case ask
        /// Do not pay.
        case refuse
    }

    /// The longest window that is signed, in seconds.
    package var maxValidity: Int64 = 600
    /// What one payment may cost at most.
    package var maxPayment = Dollars.one
    /// The payees that may be paid; empty for any.
    package var payees: Set<Address> = []
    /// What to do when a host is paid at another address than before.
    ///
    /// Some sellers use a fresh one for each payment.
    package var newPayee = Reaction.alert
    /// What to do when a price is above ``priceRise`` times what was paid before.
    ///
    /// One route honestly varies 200-fold, by model and length.
    package var higherPrice = Reaction.alert
    /// The factor above which a price is worth a word, at least 1.
    package var priceRise: Int64 = 10
    /// Vendors' variants that are switched on.
    package var profiles: Set<VendorProfile> = []
    /// Permit2 spenders that those may name.
    package var spenders: Set<Address> = []

    /// Whether an entry that is too long to be echoed whole is echoed without the members that no seller has to compare.
    package var trimsEntry = false

    /// Makes the rules of a gateway about which nothing is configured.
    package init() {}
}

/// The request that a payment is for, as far as the gate looks at it.
package struct GateRequest: Sendable, Equatable {
    /// The agent's name.
    package let agent: String
    /// Its team.
    package let team: String?
    /// The gateway's name.
    package let gateway: String
    /// The upstream host, lower case, without a port.
    package let host: String
    /// The HTTP method.
    package let method: String
    /// The path, without the query.
    package let path: String
    /// The model that it names.
    package let model: Fact<String>

    /// Makes a request.
    package init(
        agent: String, team: String?, gateway: String, host: String, method: String, path: String, model: Fact<String>
    ) {
        self.agent = agent
        self.team = team
        self.gateway = gateway
        self.host = host
        self.method = method
        self.path = path
        self.model = model
    }
}

/// What was paid before, as far as it bears on the next payment.
package struct SellerHistory: Sendable, Equatable {
    /// The payees of the host that the agent paid so far, EIP-55, by token as `network/address`.
    package var payees: [String: Set<String>]
    /// The highest price of the same agent, host, route and model so far, by token as `network/address`.
    ///
    /// Where that was forgotten, it is the highest of those that were; there is none where the model is unknown.
    package var prices: [String: Dollars]

    /// A seller that was never paid.
    package static let none = SellerHistory()

    /// Makes a history.
    package init(payees: [String: Set<String>] = [:], prices: [String: Dollars] = [:]) {
        self.payees = payees
        self.prices = prices
    }
}

/// Something about an approved payment that an operator should hear.
package enum GateAlert: Sendable, Hashable {
    /// The host is paid at another address than before.
    case newPayee(payee: String, asset: String)
    /// The price is far above what the same route and model cost before.
    case higherPrice(price: Dollars, before: Dollars)
    /// A rule in the shadow would not have approved it; nil for the policy's default.
    case shadow(rule: String?, outcome: PolicyOutcome)
}

/// The clocks that a decision looks at.
package struct GateClock: Sendable, Equatable {
    /// The local time.
    package let now: Timestamp
    /// The Date header of the seller's answer.
    package let seller: Timestamp?

    /// Clocks this close are one clock, in seconds.
    package static let tolerance: Int64 = 60
    /// How far a seller's clock may move the window, in seconds.
    package static let reach: Int64 = 300

    /// Makes clocks.
    package init(now: Timestamp, seller: Timestamp? = nil) {
        self.now = now
        self.seller = seller
    }

    /// The time that windows are made from, Unix seconds; nil when the clocks are too far apart.
    ///
    /// A seller's facilitator and chain run by its clock rather than by ours.
    var base: Int64? {
        guard let seller else { return now.seconds }
        let apart = seller.seconds - now.seconds
        guard abs(apart) <= Self.reach else { return nil }
        return abs(apart) <= Self.tolerance ? now.seconds : seller.seconds
    }
}
