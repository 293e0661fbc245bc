package import Primitives

/// What names a line of memory about prices: who asked what of whom.
package struct SellerKey: Sendable, Hashable {
    /// The agent's name.
    package let agent: String
    /// The host, lower case, without a port.
    package let host: String
    /// Method and path, at most ``maximumRoute`` bytes; a longer one is its beginning and the SHA-256 of all of it, so that no
    /// two routes are one.
    package let route: String
    /// The model that the request names.
    package let model: Fact<String>

    /// The longest route, in bytes.
    package static let maximumRoute = RejectedRoute.maximumLength

    /// Makes a key.
    package init(agent: String, host: String, method: String, path: String, model: Fact<String>) {
        self.agent = agent
        self.host = host
        route = RejectedRoute.bounded("\(method) \(path)")
        self.model = model
    }

    /// Whether prices are remembered under the key: requests whose models are unknown have nothing in common.
    package var remembersPrices: Bool { !model.isUnknown }
}

/// What the books remember of a seller for an agent, so that what is unusual can be told.
///
/// Each agent has a memory of its own: what one agent buys says nothing about another one's prices and payees, and nothing
/// that it does can make another one's memory forget. It is not money: nothing of it is bound by the journal.
package struct Recollection: Sendable, Equatable {
    /// The payees of the host so far, by token as `network/address`.
    package var payees: [String: Set<String>]
    /// The highest price of the same host, route and model so far, by token.
    package var prices: [String: Dollars]
    /// The highest price that was forgotten of any route and model of the host, by token: it stands for each of them.
    package var ceilings: [String: Dollars]

    /// Nothing is remembered.
    package static let none = Recollection()

    /// The most payees that are remembered for an agent, host and token; the one remembered longest is forgotten first.
    package static let maximumPayees = 1000
    /// The most prices of an agent at a host, over all routes, models and tokens; with more, those that were learnt longest
    /// ago are forgotten, and leave their highest price.
    package static let maximumPrices = 500
    /// How many prices are forgotten at once, so that few purchases have to forget any.
    package static let pricesForgottenAtOnce = 50

    /// Makes a recollection.
    package init(
        payees: [String: Set<String>] = [:], prices: [String: Dollars] = [:], ceilings: [String: Dollars] = [:]
    ) {
        self.payees = payees
        self.prices = prices
        self.ceilings = ceilings
    }

    /// The price that a new one is compared with, by token: the one that is known, or the one that stands for those that were
    /// forgotten.
    package var comparablePrices: [String: Dollars] { ceilings.merging(prices) { $1 } }

    /// What a payment adds; nil when it adds nothing.
    package func lesson(about key: SellerKey, asset: String, payee: String, price: Dollars) -> Lesson? {
        let isKnown = payees[asset]?.contains(payee) ?? false
        let isLower = prices[asset].map { price <= $0 } ?? !key.remembersPrices
        return isKnown && isLower ? nil : Lesson(key: key, asset: asset, payee: payee, price: price)
    }

    /// Adds a lesson.
    package mutating func learn(_ lesson: Lesson) {
        payees[lesson.asset, default: []].insert(lesson.payee)
        guard lesson.key.remembersPrices else { return }
        prices[lesson.asset] = max(prices[lesson.asset] ?? .zero, lesson.price)
    }
}

/// Something new about a seller, learnt with the reservation that it comes from.
package struct Lesson: Sendable, Equatable {
    /// Who asked what of whom.
    package let key: SellerKey
    /// The token as `network/address`.
    package let asset: String
    /// Who is paid, EIP-55.
    package let payee: String
    /// What it costs; remembered only where the key remembers prices.
    package let price: Dollars
}
