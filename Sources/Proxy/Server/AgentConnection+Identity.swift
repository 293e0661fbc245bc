import Ledger
import Logging
import NIOCore
import Payments
import Primitives
import Transport

/// Whose request a connection carries.
extension AgentConnection {
    /// Finds out whose request it is, and begins it.
    func find(_ admitted: Admission) {
        switch services.agents.agent(admitted.caller) {
        case .current(let agent, let generation): begin(admitted, agent: agent, generation: generation)
        case .stale: identify(admitted)
        }
    }

    /// Goes on with the first request of a connection, whose turn has come.
    func goOn(with admitted: Admission) {
        isCounted = true
        find(admitted)
        consumeNext()
    }

    /// The books have changed since they were last read: look the agent up in them.
    private func identify(_ admitted: Admission) {
        phase = .identifying
        let bound = NIOLoopBound(self, eventLoop: shared.loop)
        let services = services
        let loop = shared.loop
        Task(executorPreference: shared.executor) {
            do throws(LedgerError) {
                let agents = try await services.agents.refresh()
                let agent = agents.agent(admitted.caller)
                loop.execute { bound.value.identified(agent, generation: agents.generation, admitted) }
            } catch {
                services.logger.error("agents not readable", metadata: ["problem": "\(error)"])
                loop.execute { bound.value.notIdentified(admitted.head) }
            }
        }
    }

    private func identified(_ agent: Agent?, generation: UInt64, _ admitted: Admission) {
        guard case .identifying = phase else { return }
        begin(admitted, agent: agent, generation: generation)
        consumeRest()
    }

    private func notIdentified(_ head: RequestHead) {
        if case .identifying = phase { answer(Problem(.books), head: head) }
    }

    /// Finds out who is being refused before the request was looked at: the connection of an agent stays open.
    func recognize(_ head: RequestHead) {
        guard isStranger else { return }
        let form: AgentCredential.Place = head.target.utf8.first == UInt8(ascii: "/") ? .gateway : .forward
        let caller: Caller
        if let credential = try? AgentCredential.find(in: head.fields, known: knownCredential, of: form) {
            caller = .token(credential)
        } else if let peer, let agent = rules.peers.agent(of: peer) {
            caller = .peer(peer, agent: agent)
        } else {
            return
        }
        if case .current(let agent?, _) = services.agents.agent(caller) { _ = shared.identify(place, as: agent.name) }
    }
}
