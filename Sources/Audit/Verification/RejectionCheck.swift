import Ledger
import Primitives

/// Whether what is kept of gateways' rejections, and of wallets without funds, agrees with payments and journal.
///
/// What is rejected now, and what is worth, follows from the payments. The journal bounds the rest: a pause begins and a
/// route's count ends at the time of a rejection, no count exceeds the rejections, and no count is below the routes that
/// were rejected since the last accepted payment. What was erased, and what came before these counts were kept, is left out
/// of the lower bound.
struct RejectionCheck {
    private struct Place: Hashable {
        let gateway: String
        let agent: String
    }

    private struct Tally {
        /// What is rejected now.
        var exposed = Dollars.zero
        /// How many rejections and accepted payments there were.
        var (rejections, acceptances): (Int64, Int64) = (0, 0)
        /// Routes that were rejected since the last accepted payment.
        var routes: Set<RejectedRoute> = []
        /// Times at which rows say that something was rejected.
        var wanted: Set<Timestamp> = []
    }

    private let kept: [String: GatewayRejections]
    private let wallets: UnfundedWallets
    /// The first entry that is counted.
    private let first: Int64
    private var tallies: [Place: Tally] = [:]
    private var rejectedPurses: Set<Purse> = []
    private var time = Timestamp(milliseconds: .min)

    init(_ snapshot: any LedgerSnapshot) throws(LedgerError) {
        kept = try snapshot.rejections()
        wallets = try snapshot.unfundedWallets()
        first = try snapshot.firstCountedRejection()
        for (gateway, rejections) in kept {
            for (agent, own) in rejections.agents {
                let times = own.routes.values.map(\.rejectedAt) + [own.stop?.since].compactMap(\.self)
                tallies[Place(gateway: gateway, agent: agent), default: Tally()].wanted = Set(times)
            }
        }
    }

    /// Takes a payment's row.
    mutating func examine(_ record: PaymentRecord) {
        guard record.state == .rejected, let terms = record.terms else { return }
        let place = Place(gateway: record.purpose.gateway, agent: record.purpose.agent)
        let exposed = tallies[place]?.exposed ?? .zero
        tallies[place, default: Tally()].exposed = exposed.adding(terms.value) ?? .max
    }

    /// Takes a later entry of a payment, which was in this state before it.
    mutating func examine(_ entry: JournalEntry, of record: PaymentRecord, from state: PaymentState) {
        time = max(time, entry.at)
        let place = Place(gateway: record.purpose.gateway, agent: record.purpose.agent)
        if entry.line.state == .rejected { tallies[place]?.wanted.remove(entry.at) }
        let event = PaymentEvent(rawValue: entry.line.cause)
        switch event {
        case _ where event?.isRejection == true && entry.line.state == .rejected && state != .rejected:
            tallies[place, default: Tally()].rejections += 1
            if let terms = record.terms, wallets.standings[Purse(terms)] != nil { rejectedPurses.insert(Purse(terms)) }
            guard entry.number >= first, let request = record.purpose.request, let terms = record.terms else { return }
            tallies[place]?.routes.insert(RejectedRoute(asset: terms.assetName, request: request))
        case .settled, .servedUnproven:
            // Most payments are accepted at once and nothing was rejected before.
            guard tallies[place] != nil else { return }
            tallies[place]?.acceptances += 1
            tallies[place]?.routes = []
        default: break
        }
    }

    /// Holds what is kept against what was counted.
    func finish(_ findings: inout Findings) {
        for place in tallies.keys.sorted(by: { ($0.gateway, $0.agent) < ($1.gateway, $1.agent) }) {
            let own = kept[place.gateway]?.agents[place.agent] ?? AgentRejections()
            let fault = tallies[place].flatMap { Self.fault(of: own, by: $0) }
            findings.examine(
                .rejections, "rejections of agent \(place.agent) at gateway \(place.gateway)", holds: fault == nil,
                fault ?? "")
        }
        for (name, gateway) in kept.sorted(by: { $0.key < $1.key }) {
            findings.examine(
                .rejections, "pause of gateway \(name)", holds: (gateway.probes != nil) == gateway.isPausedForAll,
                gateway.probes == nil
                    ? "is missing, though its agents' pauses make it" : "is not made by its agents' pauses")
        }
        for (purse, standing) in wallets.standings.sorted(by: { $0.value.wallet < $1.value.wallet }) {
            findings.examine(
                .rejections, "funds of wallet \(standing.wallet) in \(standing.symbol) on \(purse.network)",
                holds: rejectedPurses.contains(purse) && (standing.balance != nil || !standing.claims.isEmpty),
                "are doubted, but no payment from \(purse.payer) in that token was rejected, or nobody says why")
        }
    }

    private static func fault(of own: AgentRejections, by tally: Tally) -> String? {
        if own.exposed != tally.exposed {
            return "are kept as $\(own.exposed) that may still be settled, but its payments add up to $\(tally.exposed)"
        }
        if own.freshRoutes > tally.rejections {
            return "are kept on \(own.freshRoutes) routes, but the journal has \(tally.rejections) rejections"
        }
        if own.freshRoutes < Int64(tally.routes.count) {
            return "are kept on \(own.freshRoutes) routes since the last accepted payment, but the journal has "
                + "\(tally.routes.count)"
        }
        if own.epoch > tally.acceptances {
            return
                "are said to have been ended \(own.epoch) times, but the journal has \(tally.acceptances) accepted payments"
        }
        if own.routes.count > AgentRejections.maximumRoutes
            || own.routes.values.contains(where: { $0.epoch > own.epoch })
            || Int64(own.routes.values.count { $0.epoch == own.epoch }) > own.freshRoutes
        {
            return "are kept on routes that do not fit the count of them"
        }
        if let most = own.routes.values.map(\.count).max(), most > tally.rejections {
            return "are kept as \(most) in a row on a route, but the journal has \(tally.rejections)"
        }
        if own.freshRoutes >= AgentRejections.routesToStop, own.stop == nil {
            return "are on \(own.freshRoutes) routes, and the agent is not paused"
        }
        if let time = tally.wanted.min() { return "are said to have one at \(time), which the journal does not have" }
        return nil
    }
}
