import Ethereum
import Ledger
import Primitives
import Synchronization

/// Whose turn it is to have a sponsored approval under way.
///
/// Each carries the next number of the payer's permits or transactions, so of two at once one would fail. A payment holds
/// its account's turn until its outcome is on its way into the books, or until ``turnLimit`` has passed: a silent seller
/// must not stop the others. The next turn goes to the agent that had none for longest, and within an agent to the payment
/// that has waited for longest. The places in the queue are divided by the agents' shares.
final class ApprovalTurns: Sendable {
    /// An account on one network.
    struct Account: Hashable {
        let network: String
        let payer: Address
    }

    /// A turn that was taken.
    ///
    /// Once it has passed on, it ends nothing.
    struct Turn: Sendable {
        fileprivate let account: Account
        fileprivate let number: UInt64
    }

    /// For how long a payment holds the turn at most, and how long one waits for it.
    static let turnLimit = Duration.seconds(30)
    static let waitLimit = Duration.seconds(60)

    /// One that waits.
    private struct Waiting: UnitHolder {
        let number: UInt64
        let agent: Int
        let done: CheckedContinuation<Turn?, Never>
        var lastProgress: Int64 { 0 }
        var mayBeEnded: Bool { false }
    }

    private struct Queue {
        var pot: SharedPot<Waiting>
        var waiting: [(waiting: Waiting, place: PotPlace)] = []
        /// The turn that is held, by its number.
        var turn: UInt64 = 0
        /// The turn in which each agent was last.
        var lastTurns: [Int: UInt64] = [:]

        mutating func remove(_ number: UInt64) -> Waiting? {
            guard let index = waiting.firstIndex(where: { $0.waiting.number == number }) else { return nil }
            let (found, place) = waiting.remove(at: index)
            pot.remove(at: place)
            return found
        }

        /// Takes out whose turn it is next.
        mutating func next() -> Waiting? {
            let first = waiting.min {
                (lastTurns[$0.waiting.agent] ?? 0, $0.waiting.number)
                    < (lastTurns[$1.waiting.agent] ?? 0, $1.waiting.number)
            }
            return first.flatMap { remove($0.waiting.number) }
        }
    }

    private struct State {
        /// The accounts whose turn is taken.
        var queues: [Account: Queue] = [:]
        var holders: [PaymentID: Turn] = [:]
        var lastNumber: UInt64 = 0
        /// Wishes that were refused, at all accounts.
        var refused: UInt64 = 0
    }

    private let total: Int
    private let agents: ActiveAgents
    private let sleep: @Sendable (Duration) async -> Void
    private let state = Mutex(State())

    /// Makes turns for which `total` payments may wait at each account; `sleep` passes the time.
    init(
        total: Int = PaymentPots.standard.approvalTurns, agents: ActiveAgents = ActiveAgents(),
        sleep: @escaping @Sendable (Duration) async -> Void = { try? await ContinuousClock().sleep(for: $0) }
    ) {
        self.total = total
        self.agents = agents
        self.sleep = sleep
    }

    /// Waits for an account's turn and takes it for an agent; nil when too many wait already, or it waited too long.
    func take(_ account: Account, for name: String) async -> Turn? {
        let agent = agents.agent(named: name).number
        let active = agents.count(at: agents.now())
        return await withCheckedContinuation { (done: CheckedContinuation<Turn?, Never>) in
            let (isTaken, number) = state.withLock { state -> (Bool?, UInt64) in
                state.lastNumber += 1
                let number = state.lastNumber
                guard var queue = state.queues[account] else {
                    state.queues[account] = Queue(
                        pot: SharedPot(total: total), turn: number, lastTurns: [agent: number])
                    return (true, number)
                }
                defer { state.queues[account] = queue }
                let waiting = Waiting(number: number, agent: agent, done: done)
                let place = queue.pot.add(waiting, of: agent)
                // An agent that waits counts, whenever its last request came.
                let agents = max(active, queue.pot.holders(with: agent))
                guard queue.pot.take(1, at: place, among: agents) == .granted else {
                    queue.pot.remove(at: place)
                    state.refused += 1
                    return (false, number)
                }
                queue.waiting.append((waiting, place))
                return (nil, number)
            }
            guard let isTaken else { return watch(account, waiting: number) }
            let turn = Turn(account: account, number: number)
            if isTaken { watch(turn) }
            done.resume(returning: isTaken ? turn : nil)
        }
    }

    /// Ends a turn that was held for as long as it may be.
    private func watch(_ turn: Turn) {
        Task {
            await sleep(Self.turnLimit)
            end(turn)
        }
    }

    /// Ends a wait that took too long.
    private func watch(_ account: Account, waiting number: UInt64) {
        Task {
            await sleep(Self.waitLimit)
            state.withLock { $0.queues[account]?.remove(number) }?.done.resume(returning: nil)
        }
    }

    /// How many wait for an account's turn.
    func waiting(for account: Account) -> Int { state.withLock { $0.queues[account]?.waiting.count ?? 0 } }

    /// Says which payment a taken turn is for: ``end(_:)-(PaymentID)`` ends it.
    func assign(_ turn: Turn, to payment: PaymentID) {
        state.withLock { $0.holders[payment] = turn }
    }

    /// Ends the turn that a payment holds, if it holds one.
    func end(_ payment: PaymentID) {
        if let turn = state.withLock({ $0.holders.removeValue(forKey: payment) }) { end(turn) }
    }

    /// How the places are divided at the account where most wait.
    var snapshot: PotSnapshot {
        let (pots, refused) = state.withLock { ($0.queues.values.map(\.pot), $0.refused) }
        let pot = pots.max { $0.used < $1.used } ?? SharedPot(total: total)
        let shown = PotSnapshot(name: "approval-turns", unit: .count, pot, agents: agents, at: agents.now())
        return PotSnapshot(
            name: shown.name, gateway: nil, unit: shown.unit, total: shown.total, used: shown.used, lent: shown.lent,
            share: shown.share, refused: refused, takenBack: 0, top: shown.top)
    }

    /// Ends a turn and gives the next one to the agent that is next; nothing where it has ended before.
    func end(_ turn: Turn) {
        let account = turn.account
        let next = state.withLock { state -> Waiting? in
            guard var queue = state.queues[account], turn.number == queue.turn else { return nil }
            guard let next = queue.next() else {
                state.queues[account] = nil
                return nil
            }
            queue.turn = next.number
            queue.lastTurns[next.agent] = next.number
            state.queues[account] = queue
            return next
        }
        guard let next else { return }
        let taken = Turn(account: account, number: next.number)
        watch(taken)
        next.done.resume(returning: taken)
    }
}
