package import Ledger
package import Primitives

extension SQLiteLedger: LedgerStore {
    package func reserve(
        _ intent: PaymentIntent, at now: Timestamp
    ) async throws(LedgerError) -> ReservationOutcome {
        try await writer.perform { (keeper) throws(Fault) in try keeper.reserve(intent, at: now) }
    }

    package func book(
        _ event: PaymentEvent, of id: PaymentID, evidence: PaymentEvidence, at now: Timestamp
    ) async throws(LedgerError) -> PaymentRecord {
        try await writer.perform { (keeper) throws(Fault) in
            try keeper.book(event, of: id, evidence: evidence, at: now)
        }
    }

    package func record(_ refusal: RefusedPayment, at now: Timestamp) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.record(refusal, at: now) }
    }

    package func doubtReserved(at now: Timestamp) async throws(LedgerError) -> Int {
        try await writer.perform { (keeper) throws(Fault) in try keeper.doubtReserved(at: now) }
    }

    package func presumeOverdue(margin: Int64, at now: Timestamp) async throws(LedgerError) -> Int {
        try await writer.perform { (keeper) throws(Fault) in try keeper.presumeOverdue(margin: margin, at: now) }
    }

    package func payments(_ filter: PaymentFilter) async throws(LedgerError) -> [PaymentRecord] {
        try await read { (database) throws(Fault) in try PaymentQueries.list(filter, in: database) }
    }

    package func payment(_ id: PaymentID) async throws(LedgerError) -> PaymentRecord? {
        try await read { (database) throws(Fault) in try PaymentRows.find(id, in: database)?.record }
    }

    package func history(of id: PaymentID) async throws(LedgerError) -> [PaymentTransition] {
        try await read { (database) throws(Fault) in try PaymentQueries.history(of: id, in: database) }
    }

    package func usage(of agent: String, at now: Timestamp) async throws(LedgerError) -> [CapUsage] {
        try await read { (database) throws(Fault) in try PaymentQueries.usage(of: agent, at: now, in: database) }
    }

    package func add(_ agent: Agent) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.add(agent) }
    }

    package func removeAgent(_ name: String) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.removeAgent(name) }
    }

    package func replaceToken(of agent: String, hash: Bytes32) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.replaceToken(of: agent, hash: hash) }
    }

    package func setCap(_ cap: Cap, of agent: String) async throws(LedgerError) {
        try await writer.perform { (keeper) throws(Fault) in try keeper.setCap(cap, of: agent) }
    }

    package func removeCap(_ window: CapWindow, of agent: String) async throws(LedgerError) -> Bool {
        try await writer.perform { (keeper) throws(Fault) in try keeper.removeCap(window, of: agent) }
    }

    package func agents() async throws(LedgerError) -> [Agent] {
        try await read { (database) throws(Fault) in try AgentRows.all(in: database) }
    }

    /// Agents and generation, read in one step.
    ///
    /// Where the shared number does not agree with the rows, a change is being committed or its writer died: the rows
    /// are then read under the write lock, which waits for the one and repairs after the other.
    package func registry() async throws(LedgerError) -> AgentRegistry {
        let registry = try await read { (database) throws(Fault) in try AgentRows.registry(in: database) }
        guard registry.generation != generation.current else { return registry }
        return try await writer.perform { (keeper) throws(Fault) in try keeper.healedRegistry() }
    }
}
