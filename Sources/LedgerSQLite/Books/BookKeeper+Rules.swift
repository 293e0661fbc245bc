import GRDB
import Ledger
import Primitives

/// Agents, caps and freezes: each change is an entry, and a new generation.
extension BookKeeper {
    private func agent(_ name: String) throws(Fault) -> Agent {
        guard let agent = known.rulebook.agents[name] else { throw .step(.unknownAgent(name)) }
        return agent
    }

    /// Adds an agent with caps of its own; `past` is what was counted for them before.
    func add(_ agent: Agent, limits: [CapLimit], past: [CapRows.Past], by actor: String) throws(Fault) {
        guard known.rulebook.agents[agent.name] == nil else { throw .step(.agentExists(agent.name)) }
        var row = try Prepared(
            "INSERT INTO agents (name, wallet, team, token_hash, added_at) VALUES (?, ?, ?, ?, ?)", in: database)
        row.bind(agent.name)
        row.bind(agent.wallet)
        row.bind(agent.team)
        row.bind(agent.tokenHash)
        let time = time(at: agent.addedAt)
        row.bind(time)
        guard try row.insert() else { throw .step(.duplicate(LedgerError.knownToken)) }
        try write(.added(agent, by: actor), at: time)
        for limit in limits { try set(Cap(agent: agent.name, limit), past: past, by: actor, at: time) }
        try showChange()
    }

    /// Removes an agent with its caps; its payments stay.
    func removeAgent(_ name: String, by actor: String, at now: Timestamp) throws(Fault) {
        let agent = try agent(name)
        let time = time(at: now)
        for cap in known.rulebook.caps(of: agent) where cap.scope.holder == .agent(name) {
            try CapRows.remove(cap.key, in: database)
            try write(.removed(cap, by: actor), at: time)
        }
        var row = try Prepared("DELETE FROM agents WHERE name = ?", in: database)
        row.bind(name)
        try row.run()
        try MemoryRows.forget(name, in: database)
        try write(.agent(name, "removed", by: actor), at: time)
        try showChange()
    }

    /// Replaces an agent's token.
    func replaceToken(of name: String, hash: Bytes32, by actor: String, at now: Timestamp) throws(Fault) {
        _ = try agent(name)
        var row = try Prepared("UPDATE agents SET token_hash = ? WHERE name = ?", in: database)
        row.bind(hash)
        row.bind(name)
        guard try row.insert() else { throw .step(.duplicate(LedgerError.knownToken)) }
        try write(.token(of: name, hash: hash, by: actor), at: time(at: now))
        try showChange()
    }

    /// Puts an agent into a team, or into none.
    func setTeam(_ team: String?, of name: String, by actor: String, at now: Timestamp) throws(Fault) {
        let agent = try agent(name)
        var row = try Prepared("UPDATE agents SET team = ? WHERE name = ?", in: database)
        row.bind(team)
        row.bind(name)
        try row.run()
        try write(.team(of: name, before: agent.team, after: team, by: actor), at: time(at: now))
        try showChange()
    }

    /// Sets one cap; what was spent before counts, and `past` is what of it was counted before.
    func setCap(_ cap: Cap, past: [CapRows.Past], by actor: String, at now: Timestamp) throws(Fault) {
        do {
            try cap.checkSoundness()
        } catch {
            throw .step(error)
        }
        if case .agent(let name) = cap.scope.holder { _ = try agent(name) }
        try set(cap, past: past, by: actor, at: time(at: now))
        try showChange()
    }

    private func set(_ cap: Cap, past: [CapRows.Past], by actor: String, at time: Timestamp) throws(Fault) {
        let before = known.rulebook.cap(cap.key)
        let counter: CapCounter
        if before == nil {
            // A cap that went away meanwhile has no past that was counted.
            counter =
                if let past = past.first(where: { $0.cap.key == cap.key }) {
                    try CapRows.caughtUp(past, at: time, in: database)
                } else {
                    try CapRows.recount(cap, at: time, in: database)
                }
        } else {
            try known.flush(to: database)
            counter = try CapRows.find(cap.key, in: database)?.counter ?? CapCounter()
        }
        try CapRows.set(cap, counter: counter, in: database)
        try write(.set(cap, before: before, by: actor), at: time)
    }

    /// Removes one cap; false when there was none.
    func removeCap(_ key: Cap.Key, by actor: String, at now: Timestamp) throws(Fault) -> Bool {
        guard let cap = known.rulebook.cap(key) else { return false }
        try CapRows.remove(key, in: database)
        try write(.removed(cap, by: actor), at: time(at: now))
        try showChange()
        return true
    }

    /// Freezes; false when that is frozen already.
    func freeze(_ freeze: Freeze) throws(Fault) -> Bool {
        guard known.rulebook.freezes[freeze.scope] == nil else { return false }
        var row = try Prepared("INSERT INTO freezes (scope, since, actor, reason) VALUES (?, ?, ?, ?)", in: database)
        row.bind(freeze.scope.description)
        let time = time(at: freeze.since)
        row.bind(time)
        row.bind(freeze.actor)
        row.bind(freeze.reason)
        try row.run()
        try write(.frozen(freeze), at: time)
        try showChange()
        return true
    }

    /// Lifts a freeze; false when there was none.
    func unfreeze(_ scope: FreezeScope, by actor: String, at now: Timestamp) throws(Fault) -> Bool {
        guard known.rulebook.freezes[scope] != nil else { return false }
        var row = try Prepared("DELETE FROM freezes WHERE scope = ?", in: database)
        row.bind(scope.description)
        try row.run()
        try write(.unfrozen(scope, by: actor), at: time(at: now))
        try showChange()
        return true
    }

    /// Reads the registry under the write lock and puts the shared number right.
    func healedRegistry() throws(Fault) -> AgentRegistry {
        let registry = try AgentRows.registry(in: database)
        generation.publish(registry.generation)
        return registry
    }

    /// Counts a change and shows its number before the commit, so that no process can miss it.
    private func showChange() throws(Fault) {
        try database.run("UPDATE registry_generation SET value = value + 1")
        generation.publish(try AgentRows.generation(in: database))
        try known.reloadRules(from: database)
    }
}
