import GRDB
import Ledger
import Primitives

/// Rows of `agents`, `caps` and `registry_generation`.
enum AgentRows {
    /// An agent's caps, empty when it has none; nil when it is not in the books.
    static func caps(of agent: String, in database: Database) throws(Fault) -> [Cap]? {
        var query = try Prepared(
            """
            SELECT span, nanodollars FROM agents LEFT JOIN caps ON caps.agent = agents.name WHERE agents.name = ?
            """, in: database)
        query.bind(agent)
        var caps: [Cap]?
        while try query.step() {
            caps = caps ?? []
            if let cap = try cap(&query, of: agent) { caps?.append(cap) }
        }
        return caps
    }

    /// All agents by name, their caps narrowest window first.
    static func all(in database: Database) throws(Fault) -> [Agent] {
        var query = try Prepared(
            """
            SELECT name, wallet, token_hash, added_at, span, nanodollars
            FROM agents LEFT JOIN caps ON caps.agent = agents.name ORDER BY name
            """, in: database)
        var agents: [Agent] = []
        while try query.step() {
            let name = query.text()
            let wallet = query.optionalText()
            guard let hash = query.bytes32() else {
                throw .batch(.damaged("agent \"\(name)\" has no valid token hash"))
            }
            let addedAt = Timestamp(milliseconds: query.integer())
            var caps: [Cap] = []
            if let previous = agents.last, previous.name == name {
                caps = previous.caps
                agents.removeLast()
            }
            if let cap = try cap(&query, of: name) { caps.append(cap) }
            caps.sort { $0.window < $1.window }
            agents.append(Agent(name: name, wallet: wallet, tokenHash: hash, caps: caps, addedAt: addedAt))
        }
        return agents
    }

    private static func cap(_ row: inout Prepared, of agent: String) throws(Fault) -> Cap? {
        guard let span = row.optionalText() else { return nil }
        guard let window = CapWindow(rawValue: span), let limit = Dollars(nanodollars: row.integer()) else {
            throw .batch(.damaged("a cap of agent \"\(agent)\" is not valid"))
        }
        return Cap(window: window, limit: limit)
    }

    /// The number of the newest change that is committed, or made in this transaction.
    static func generation(in database: Database) throws(Fault) -> UInt64 {
        var query = try Prepared("SELECT value FROM registry_generation", in: database)
        guard try query.step(), let number = UInt64(exactly: query.integer()) else {
            throw .batch(.damaged("the registry has no generation"))
        }
        return number
    }

    /// Agents and generation; call it inside one transaction.
    static func registry(in database: Database) throws(Fault) -> AgentRegistry {
        AgentRegistry(generation: try generation(in: database), agents: try all(in: database))
    }
}
