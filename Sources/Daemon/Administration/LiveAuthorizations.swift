package import Ledger
package import Primitives

/// Authorizations that were handed out and that somebody may still settle.
package enum LiveAuthorizations {
    /// The payments under a freeze that are open, or presumed without proof, and whose window has not passed; those that
    /// live longest last.
    ///
    /// A freeze stops the next signature; it takes none of these back.
    package static func under(
        _ scope: FreezeScope, in ledger: any LedgerStore, at now: Timestamp
    ) async throws(LedgerError) -> [PaymentRecord] {
        let seconds = now.seconds
        @Sendable func isMeant(_ record: PaymentRecord) -> Bool {
            guard record.liveUntil ?? 0 > seconds else { return false }
            return switch scope {
            case .everything: true
            case .agent(let name): record.purpose.agent == name
            case .gateway(let name): record.purpose.gateway == name
            case .wallet(let name): record.terms?.wallet == name
            }
        }
        let open = try await ledger.payments(
            PaymentFilter(states: Set(PaymentState.allCases.filter(\.isOpen)), limit: PaymentFilter.maximumLimit))
        // Of these only the youngest can be live, and the books may be long.
        let presumed = try await ledger.read { (books) throws(LedgerError) -> [PaymentRecord] in
            var found: [PaymentRecord] = []
            let first = try books.firstPayment(since: now.adding(seconds: -longestLife))
            try books.forEachPayment(from: first) { (payment) throws(LedgerError) in
                if payment.record.state == .presumed, isMeant(payment.record) { found.append(payment.record) }
            }
            return found
        }
        return (open.filter(isMeant) + presumed)
            .sorted { ($0.liveUntil ?? 0, $0.id.description) < ($1.liveUntil ?? 0, $1.id.description) }
    }

    /// No payment is signed for longer than an hour, and clocks may differ by a minute; in seconds, with room.
    private static let longestLife: Int64 = 2 * 3600
}

/// What one agent has out in one token.
package struct Exposure: Sendable, Equatable {
    /// The agent's name.
    package let agent: String
    /// The token as `network/address`.
    package let asset: String
    /// How many payments are open.
    package private(set) var count = 0
    /// What they add up to, in atomic units.
    package private(set) var units = UInt256.zero
    /// What they count for in dollars; no sum is larger than the largest amount.
    package private(set) var value = Dollars.zero
    /// When the last of them can be settled no more, in Unix seconds.
    package private(set) var until: Int64 = 0

    /// Adds payments up by agent and token; those that are not open are passed over.
    package static func sums(of payments: [PaymentRecord]) -> [Exposure] {
        var sums: [[String]: Exposure] = [:]
        for payment in payments where payment.state.isOpen {
            guard let terms = payment.terms else { continue }
            let (agent, asset) = (payment.purpose.agent, terms.assetName)
            sums[[agent, asset], default: Exposure(agent: agent, asset: asset)].add(terms)
        }
        return sums.values.sorted { ($0.agent, $0.asset) < ($1.agent, $1.asset) }
    }

    private init(agent: String, asset: String) {
        self.agent = agent
        self.asset = asset
    }

    private mutating func add(_ terms: PaymentIntent.Terms) {
        count += 1
        units = units.saturatingSum(terms.amount)
        value = value.adding(terms.value) ?? .max
        until = max(until, terms.validBefore)
    }
}
