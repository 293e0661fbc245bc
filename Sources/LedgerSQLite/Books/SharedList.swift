import GRDB
import Ledger
import Primitives

/// A list of payments that many agents share, kept by an index that begins with network and agent.
struct SharedList {
    /// The index, and the condition as it writes it.
    private let index: String
    private let condition: String
    /// What an agent's part is sorted by before the payment's number; nil where by the number alone.
    private let time: String?

    /// Payments whose fate is not proven, those whose window ends first in front.
    static let unproven = SharedList(
        index: "payments_unproven",
        condition: "(state = 'rejected' OR state = 'in-doubt' OR state = 'presumed' OR state = 'lapsed')",
        time: "valid_before")
    /// Payments that moved an unknown part of what was signed, oldest first.
    static let unshown = SharedList(
        index: "payments_unshown",
        condition: "scheme = 'upto' AND moved IS NULL AND (state = 'settled' OR state = 'confirmed')", time: nil)

    /// The next payments, and where the reading after them goes on.
    func reading(
        network: String, limit: Int, in round: AgentRound, of database: Database
    ) throws(Fault) -> AgentReading {
        var round = round
        let places = try round.next(limit: limit) { (after, limit) throws(Fault) in
            try agents(on: network, after: after, limit: limit, in: database)
        } part: { (agent, after, limit) throws(Fault) in
            try part(of: agent, on: network, after: after, limit: limit, in: database)
        }
        var found = Salvaged([PaymentRecord]())
        for place in places {
            do throws(Fault) {
                if let payment = try PaymentRows.find(number: place.number, in: database) {
                    found.value.append(payment.record)
                }
            } catch {
                guard case .step(let damage) = error else { throw error }
                found.damage.append(damage)
            }
        }
        return AgentReading(payments: found, next: round)
    }

    /// Agents with payments in the list, by name: one search in the index for each.
    private func agents(
        on network: String, after name: String?, limit: Int, in database: Database
    ) throws(Fault) -> [String] {
        var found: [String] = []
        var after = name
        while found.count < limit {
            var query = try Prepared(
                """
                SELECT agent FROM payments INDEXED BY \(index)
                WHERE \(condition) AND network = ? AND agent > ? ORDER BY agent LIMIT 1
                """, in: database)
            query.bind(network)
            query.bind(after ?? "")
            guard try query.step() else { break }
            let agent = query.text()
            found.append(agent)
            after = agent
        }
        return found
    }

    /// An agent's places, read from the index alone.
    private func part(
        of agent: String, on network: String, after place: AgentRound.Place, limit: Int, in database: Database
    ) throws(Fault) -> [AgentRound.Place] {
        let order = time.map { "\($0), number" } ?? "number"
        var query = try Prepared(
            """
            SELECT \(time ?? "0"), number FROM payments INDEXED BY \(index)
            WHERE \(condition) AND network = ? AND agent = ? AND (\(order)) > (\(time == nil ? "?" : "?, ?"))
            ORDER BY \(order) LIMIT ?
            """, in: database)
        query.bind(network)
        query.bind(agent)
        if time != nil { query.bind(place.time) }
        query.bind(place.number)
        query.bind(Int64(limit))
        var places: [AgentRound.Place] = []
        while try query.step() { places.append(AgentRound.Place(time: query.integer(), number: query.integer())) }
        return places
    }
}
