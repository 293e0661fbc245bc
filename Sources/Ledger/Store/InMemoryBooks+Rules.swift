import Primitives

/// Agents, caps, freezes and what accountants add.
extension InMemoryBooks {
    private func known(_ name: String) throws(LedgerError) -> Agent {
        guard let agent = agents[name] else { throw .unknownAgent(name) }
        return agent
    }

    private func checkToken(_ hash: Bytes32, of name: String) throws(LedgerError) {
        guard !agents.values.contains(where: { $0.tokenHash == hash && $0.name != name }) else {
            throw .duplicate(LedgerError.knownToken)
        }
    }

    mutating func add(_ agent: Agent, limits: [CapLimit], by actor: String) throws(LedgerError) {
        guard agents[agent.name] == nil else { throw .agentExists(agent.name) }
        try checkToken(agent.tokenHash, of: agent.name)
        let time = time(at: agent.addedAt)
        var kept = agent
        kept.addedAt = time
        agents[agent.name] = kept
        write(.added(agent, by: actor), at: time)
        for limit in limits {
            let cap = Cap(agent: agent.name, limit)
            write(.set(cap, before: caps[cap.key], by: actor), at: time)
            caps[cap.key] = cap
        }
        generation += 1
    }

    mutating func removeAgent(_ name: String, by actor: String, at now: Timestamp) throws(LedgerError) {
        _ = try known(name)
        let time = time(at: now)
        for cap in caps.values.filter({ $0.scope.holder == .agent(name) }).sorted() {
            caps[cap.key] = nil
            write(.removed(cap, by: actor), at: time)
        }
        agents[name] = nil
        forgetMemory(of: name)
        write(.agent(name, "removed", by: actor), at: time)
        generation += 1
    }

    mutating func replaceToken(
        of name: String, hash: Bytes32, by actor: String, at now: Timestamp
    ) throws(LedgerError) {
        let agent = try known(name)
        try checkToken(hash, of: name)
        agents[name] = Agent(
            name: name, wallet: agent.wallet, team: agent.team, tokenHash: hash, addedAt: agent.addedAt)
        write(.token(of: name, hash: hash, by: actor), at: time(at: now))
        generation += 1
    }

    mutating func setTeam(
        _ team: String?, of name: String, by actor: String, at now: Timestamp
    ) throws(LedgerError) {
        let agent = try known(name)
        agents[name] = Agent(
            name: name, wallet: agent.wallet, team: team, tokenHash: agent.tokenHash, addedAt: agent.addedAt)
        write(.team(of: name, before: agent.team, after: team, by: actor), at: time(at: now))
        generation += 1
    }

    mutating func setCap(_ cap: Cap, by actor: String, at now: Timestamp) throws(LedgerError) {
        try cap.checkSoundness()
        if case .agent(let name) = cap.scope.holder { _ = try known(name) }
        write(.set(cap, before: caps[cap.key], by: actor), at: time(at: now))
        caps[cap.key] = cap
        generation += 1
    }

    mutating func removeCap(_ key: Cap.Key, by actor: String, at now: Timestamp) -> Bool {
        guard let cap = caps[key] else { return false }
        caps[key] = nil
        write(.removed(cap, by: actor), at: time(at: now))
        generation += 1
        return true
    }

    mutating func freeze(_ freeze: Freeze) -> Bool {
        guard freezes[freeze.scope] == nil else { return false }
        var freeze = freeze
        freeze.since = time(at: freeze.since)
        freezes[freeze.scope] = freeze
        write(.frozen(freeze), at: freeze.since)
        generation += 1
        return true
    }

    mutating func unfreeze(_ scope: FreezeScope, by actor: String, at now: Timestamp) -> Bool {
        guard freezes[scope] != nil else { return false }
        freezes[scope] = nil
        write(.unfrozen(scope, by: actor), at: time(at: now))
        generation += 1
        return true
    }

    // MARK: The journal

    mutating func notice(_ cause: String, about subject: String, detail: String?, at now: Timestamp) -> Bool {
        let time = time(at: now)
        let last = journal.last { $0.line.kind == .notice && $0.line.cause == cause && $0.line.subject == subject }
        if let last, time.seconds - last.at.seconds < JournalLine.noticePause { return false }
        write(JournalLine(.notice, subject: subject, cause: cause, detail: detail), at: time)
        return true
    }

    /// Writes those warnings down that were not given less than an hour ago, and returns them.
    mutating func warn(_ warnings: [CapWarning], at time: Timestamp) -> [CapWarning] {
        let due = warnings.filter { warning in
            let last = journal.last {
                $0.line.kind == .notice && $0.line.cause == warning.cause
                    && $0.line.subject == warning.usage.cap.scope.description && warning.isGiven(by: $0.line.detail)
            }
            return last.map { time.seconds - $0.at.seconds >= JournalLine.noticePause } ?? true
        }
        for warning in due { write(.warning(warning), at: time) }
        return due
    }

    func dueCheckpoint(at now: Timestamp) -> CheckpointStatement? {
        let today = Timestamp.startOfUTCDay(time(at: now).utcDay)
        guard let last = journal.last(where: { $0.at < today }) else { return nil }
        let covered = journal.compactMap { Checkpoint($0.line)?.statement.entries }.max() ?? 0
        return covered < last.number ? CheckpointStatement(closing: last) : nil
    }

    mutating func erase(before bound: Timestamp, by actor: String, at now: Timestamp) -> Int {
        let erasable = payments.indices.filter {
            payments[$0].reservedAt < bound && !payments[$0].state.isOpen && payments[$0].salt != nil
        }
        for start in stride(from: 0, to: erasable.count, by: JournalLine.erasureLimit) {
            let portion = erasable[start..<min(start + JournalLine.erasureLimit, erasable.count)]
            for index in portion { erase(paymentAt: index) }
            write(.erased(portion.count, before: bound, by: actor), at: time(at: now))
        }
        forgetRoutes(before: bound)
        return erasable.count
    }
}
