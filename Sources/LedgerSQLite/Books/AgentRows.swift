import GRDB
import Ledger
import Primitives

/// Rows of `agents`, `freezes` and `registry_generation`.
enum AgentRows {
    /// All agents by name.
    static func all(in database: Database) throws(Fault) -> [Agent] {
        var query = try Prepared(
            "SELECT name, wallet, team, token_hash, added_at FROM agents ORDER BY name", in: database)
        var agents: [Agent] = []
        while try query.step() {
            let name = query.text()
            let wallet = query.optionalText()
            let team = query.optionalText()
            guard let hash = query.bytes32() else {
                throw .batch(.damaged("agent \"\(name)\" has no valid token hash"))
            }
            agents.append(
                Agent(name: name, wallet: wallet, team: team, tokenHash: hash, addedAt: query.timestamp()))
        }
        return agents
    }

    /// All freezes in force.
    static func freezes(in database: Database) throws(Fault) -> [Freeze] {
        var query = try Prepared("SELECT scope, since, actor, reason FROM freezes", in: database)
        var freezes: [Freeze] = []
        while try query.step() {
            let text = query.text()
            guard let scope = FreezeScope(text) else { throw .batch(.damaged("the freeze \"\(text)\" is not valid")) }
            freezes.append(
                Freeze(scope: scope, since: query.timestamp(), actor: query.text(), reason: query.optionalText()))
        }
        return freezes
    }

    /// The number of the newest change that is committed, or made in this transaction.
    static func generation(in database: Database) throws(Fault) -> UInt64 {
        var query = try Prepared("SELECT value FROM registry_generation", in: database)
        guard try query.step(), let number = UInt64(exactly: query.integer()) else {
            throw .batch(.damaged("the registry has no generation"))
        }
        return number
    }

    /// Agents, freezes and generation; call it inside one transaction.
    static func registry(in database: Database) throws(Fault) -> AgentRegistry {
        AgentRegistry(
            generation: try generation(in: database), agents: try all(in: database),
            freezes: try freezes(in: database), caps: try CapRows.all(in: database))
    }

    /// Agents, caps, freezes and generation; call it inside one transaction.
    static func rulebook(in database: Database) throws(Fault) -> Rulebook {
        Rulebook(
            generation: try generation(in: database), agents: try all(in: database),
            caps: try CapRows.all(in: database),
            freezes: try freezes(in: database))
    }
}
