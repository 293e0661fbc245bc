package import Primitives

/// What names a line of memory about prices: who asked what of whom.
package struct SellerKey: Sendable, Hashable {
    /// The agent's name.
    package let agent: String
    /// The host, lower case, without a port.
    package let host: String
    /// Method and path, cut to ``maximumRoute`` characters.
    package let route: String
    /// The model that the request names.
    package let model: Fact<String>

    /// The longest route that is told apart, in characters.
    package static let maximumRoute = 256

    /// Makes a key.
    package init(agent: String, host: String, method: String, path: String, model: Fact<String>) {
        self.agent = agent
        self.host = host
        let whole = "\(method) \(path)"
        route = whole.utf8.count <= Self.maximumRoute ? whole : String(whole.prefix(Self.maximumRoute))
        self.model = model
    }

    /// Whether prices are remembered under the key: requests whose models are unknown have nothing in common.
    package var remembersPrices: Bool { !model.isUnknown }
}

/// What the books remember of a seller, so that what is unusual can be told.
///
/// It is not money: nothing of it is bound by the journal.
package struct Recollection: Sendable, Equatable {
    /// The payees of the host so far, by token as `network/address`.
    package var payees: [String: Set<String>]
    /// The highest price of the same agent, host, route and model so far, by token.
    package var prices: [String: Dollars]

    /// Nothing is remembered.
    package static let none = Recollection()

    /// The most payees that are remembered for a host and token; the one remembered longest is forgotten first.
    package static let maximumPayees = 1000
    /// The most lines of prices that are remembered; the one learnt longest ago is forgotten first.
    package static let maximumPrices = 10_000

    /// Makes a recollection.
    package init(payees: [String: Set<String>] = [:], prices: [String: Dollars] = [:]) {
        self.payees = payees
        self.prices = prices
    }

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
