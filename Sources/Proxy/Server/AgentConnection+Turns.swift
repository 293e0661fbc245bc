import Ledger
import NIOCore
import Payments
import Primitives
import Transport

/// When the next step of a connection is taken: not before its peer reads the answers, and not before the turns of others.
extension AgentConnection {
    /// What the next request, or the refusal of the present one, waits for.
    indirect enum Wait {
        /// That the peer reads more of the answers to earlier requests.
        case reader
        /// That others have had their turn.
        case turn
        /// That others have had their turn, since a stranger is refused.
        case refusal(Problem, RequestHead?)
    }

    /// Whether nobody knows yet whose connection it is.
    var isStranger: Bool { place.agent == nil }

    /// Whether a request may begin: its answer has room.
    ///
    /// If not, nothing is read until there is some.
    func mayBegin() -> Bool {
        guard context?.channel.isWritable == false else { return true }
        phase = .waiting(.reader)
        ownDeadline = .now() + timeouts.unread
        setReading(false)
        return false
    }

    /// Whether the agent's next request may begin now: its turn has come, no other agent is active, or few of the agent's
    /// requests have begun in this millisecond.
    func isNext(at now: NIODeadline) -> Bool {
        let time = now.milliseconds
        guard !hasTurn, let agent = place.agent, services.pots.agents.count(at: time) > 1 else { return true }
        return shared.turns.mayBegin(agent: agent.number, at: time)
    }

    /// The peer has read answers.
    func readerCaughtUp() {
        guard case .waiting(.reader) = phase else { return }
        ownDeadline = nil
        waitForTurn()
    }

    /// Begins the next request, which has been read already, once others have had their turn.
    func waitForTurn() {
        phase = .waiting(.turn)
        ownDeadline = nil
        shared.turns.wait(self, of: place.agent?.number)
    }

    /// Refuses a stranger's request once others have had their turn; nothing else of it is read.
    func waitForRefusal(_ problem: Problem, of head: RequestHead?) {
        phase = .waiting(.refusal(problem, head))
        ownDeadline = nil
        inbound = ByteBuffer()
        shared.turns.wait(self, of: nil)
    }

    /// Throws away what comes behind a last answer, a piece in each turn.
    func waitToDiscard() {
        guard case .lingering = phase, !isReadingBody else { return }
        shared.turns.wait(self, of: nil)
    }

    /// Its turn has come.
    func takeTurn() {
        switch phase {
        case .waiting(.turn):
            phase = .head
            hasTurn = true
            ownDeadline = .now() + timeouts.read
            consumeNext()
        case .waiting(.refusal(let problem, let head)):
            phase = .answering
            write(problem, to: head, closing: true)
            linger()
        case .lingering: context?.read()
        default: break
        }
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
