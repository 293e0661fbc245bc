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
        /// That others have had their turn, for the first request of a connection, whose head is read.
        case first(Admission)
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
        guard let agent = place.agent, services.pots.agents.count(at: now.milliseconds) > 1 else { return true }
        guard hasTurn || shared.turns.mayBegin(agent: agent.number, at: now) else { return false }
        if servedSince == nil { servedSince = now }
        return true
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

    /// Goes on with the first request of a connection once others have had their turn.
    func waitForTurn(of admitted: Admission) {
        phase = .waiting(.first(admitted))
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
        case .waiting(.first(let admitted)):
            phase = .identifying
            goOn(with: admitted)
        case .waiting(.refusal(let problem, let head)):
            phase = .answering
            write(problem, to: head, closing: true)
            linger()
        case .lingering: context?.read()
        default: break
        }
    }
}
