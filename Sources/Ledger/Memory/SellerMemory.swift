import Primitives

/// What is remembered of sellers, line by line: the model that every store is held against.
struct SellerMemory {
    private struct KnownPayee {
        let agent: String
        let host: String
        let asset: String
        let payee: String
        let since: Timestamp
    }

    private struct KnownPrice {
        let key: SellerKey
        let asset: String
        var price: Dollars
        var learnt: Timestamp

        /// The order in which lines are forgotten.
        var age: (Timestamp, String, String, String) { (learnt, key.route, key.model.value ?? "", asset) }
    }

    private struct Ceiling: Hashable {
        let agent: String
        let host: String
        let asset: String
    }

    private var payees: [KnownPayee] = []
    private var prices: [KnownPrice] = []
    private var ceilings: [Ceiling: Dollars] = [:]

    func recollection(of key: SellerKey) -> Recollection {
        var found = Recollection()
        for line in payees where line.agent == key.agent && line.host == key.host {
            found.payees[line.asset, default: []].insert(line.payee)
        }
        guard key.remembersPrices else { return found }
        for line in prices where line.key == key { found.prices[line.asset] = line.price }
        for (place, price) in ceilings where place.agent == key.agent && place.host == key.host {
            found.ceilings[place.asset] = price
        }
        return found
    }

    mutating func learn(_ lesson: Lesson, at time: Timestamp) {
        let (agent, host) = (lesson.key.agent, lesson.key.host)
        let same = payees.filter { $0.agent == agent && $0.host == host && $0.asset == lesson.asset }
        if !same.contains(where: { $0.payee == lesson.payee }) {
            payees.append(
                KnownPayee(agent: agent, host: host, asset: lesson.asset, payee: lesson.payee, since: time))
            if same.count >= Recollection.maximumPayees,
                let oldest = same.min(by: { ($0.since, $0.payee) < ($1.since, $1.payee) })
            {
                payees.removeAll {
                    $0.agent == agent && $0.host == host && $0.asset == lesson.asset && $0.payee == oldest.payee
                }
            }
        }
        guard lesson.key.remembersPrices else { return }
        if let index = prices.firstIndex(where: { $0.key == lesson.key && $0.asset == lesson.asset }) {
            prices[index].price = max(prices[index].price, lesson.price)
            prices[index].learnt = time
        } else {
            prices.append(KnownPrice(key: lesson.key, asset: lesson.asset, price: lesson.price, learnt: time))
        }
        let own = prices.filter { $0.key.agent == agent && $0.key.host == host }
        let excess = own.count - Recollection.maximumPrices
        guard excess > 0 else { return }
        forget(own.sorted { $0.age < $1.age }.prefix(max(excess, Recollection.pricesForgottenAtOnce)))
    }

    /// Forgets an agent's payees and prices; the highest prices stay.
    mutating func forget(_ agent: String) {
        payees.removeAll { $0.agent == agent }
        forget(prices.filter { $0.key.agent == agent }[...])
    }

    private mutating func forget(_ lines: ArraySlice<KnownPrice>) {
        for line in lines {
            let place = Ceiling(agent: line.key.agent, host: line.key.host, asset: line.asset)
            ceilings[place] = max(ceilings[place] ?? .zero, line.price)
            prices.removeAll { $0.key == line.key && $0.asset == line.asset }
        }
    }
}
