import GRDB
import Ledger
import Primitives

extension BookKeeper {
    /// Adds an agent with its caps.
    func add(_ agent: Agent) throws(Fault) {
        if try AgentRows.caps(of: agent.name, in: database) != nil { throw .step(.agentExists(agent.name)) }
        var row = try Prepared(
            "INSERT INTO agents (name, wallet, token_hash, added_at) VALUES (?, ?, ?, ?)", in: database)
        row.bind(agent.name)
        row.bind(agent.wallet)
        row.bind(agent.tokenHash)
        row.bind(agent.addedAt.milliseconds)
        guard try row.insert() else { throw .step(.duplicate(LedgerError.knownToken)) }
        for cap in agent.caps { try write(cap, of: agent.name) }
        try showChange()
    }

    /// Removes an agent with its caps; its payments and totals stay.
    func removeAgent(_ name: String) throws(Fault) {
        var row = try Prepared("DELETE FROM agents WHERE name = ?", in: database)
        row.bind(name)
        try row.run()
        guard database.changesCount > 0 else { throw .step(.unknownAgent(name)) }
        try showChange()
    }

    /// Replaces an agent's token.
    func replaceToken(of agent: String, hash: Bytes32) throws(Fault) {
        var row = try Prepared("UPDATE agents SET token_hash = ? WHERE name = ?", in: database)
        row.bind(hash)
        row.bind(agent)
        guard try row.insert() else { throw .step(.duplicate(LedgerError.knownToken)) }
        guard database.changesCount > 0 else { throw .step(.unknownAgent(agent)) }
        try showChange()
    }

    /// Sets one cap.
    func setCap(_ cap: Cap, of agent: String) throws(Fault) {
        guard try AgentRows.caps(of: agent, in: database) != nil else { throw .step(.unknownAgent(agent)) }
        try write(cap, of: agent)
        try showChange()
    }

    /// Removes one cap; false when there was none.
    func removeCap(_ window: CapWindow, of agent: String) throws(Fault) -> Bool {
        guard let caps = try AgentRows.caps(of: agent, in: database) else { throw .step(.unknownAgent(agent)) }
        guard caps.contains(where: { $0.window == window }) else { return false }
        var row = try Prepared("DELETE FROM caps WHERE agent = ? AND span = ?", in: database)
        row.bind(agent)
        row.bind(window.rawValue)
        try row.run()
        try showChange()
        return true
    }

    /// Reads the registry under the write lock and puts the shared number right.
    func healedRegistry() throws(Fault) -> AgentRegistry {
        let registry = try AgentRows.registry(in: database)
        generation.publish(registry.generation)
        return registry
    }

    private func write(_ cap: Cap, of agent: String) throws(Fault) {
        var row = try Prepared(
            "INSERT OR REPLACE INTO caps (agent, span, nanodollars) VALUES (?, ?, ?)", in: database)
        row.bind(agent)
        row.bind(cap.window.rawValue)
        row.bind(cap.limit.nanodollars)
        try row.run()
    }

    /// Counts a change and shows its number before the commit, so that no process can miss it.
    private func showChange() throws(Fault) {
        try database.run("UPDATE registry_generation SET value = value + 1")
        generation.publish(try AgentRows.generation(in: database))
    }
}
