/// The order in which decisions about one request, and outcomes of it, reach the books.
///
/// It is a value: events go in, and the callers that may continue come out.
///
/// Identical requests take turns to submit a reservation to the ledger. A turn ends when that step has its place among the
/// ledger's steps, not when it is on the disk. So the reservations of many callers share commits, and each sees the effect of
/// those before it. Turns are granted in the order of the requests, each when
/// - every announced outcome has its place too, so that the books run it before the reservation, and
/// - no decision is running whose agent has left: what becomes of that attempt is about to be announced. A decision whose
///   agent is connected delays no other: parallel identical requests are separate payments.
///
/// An outcome that has its place can still fail, alone or with its commit. So a decision signs only when the outcomes before
/// its turn are on the disk. An outcome that the books could not take is kept, and no decision is made until it is released.
struct RequestOrder<Waiter: Sendable>: Sendable {
    /// A caller that may continue, with the number of its turn; nil when an outcome is kept.
    typealias Answer = (waiter: Waiter, number: Int?)

    private struct Decision: Sendable {
        let number: Int
        let hasLeft: @Sendable () -> Bool
    }

    /// Outcomes and turns are numbered as they come, so the outcomes before a turn have smaller numbers.
    private var lastNumber = 0
    /// How many outcomes are announced and have no place among the ledger's steps yet.
    private var announced = 0
    /// The outcomes that have a place and are not on the disk, by number, ascending.
    private var placed: [Int] = []
    /// How many outcomes the books could not take.
    private var kept = 0
    /// The decision that has the turn.
    private var turn: Int?
    /// The running decisions, including the one that has the turn.
    private var decisions: [Decision] = []
    /// The callers that wait for a turn, in their order.
    private var queue: [(waiter: Waiter, hasLeft: @Sendable () -> Bool)] = []
    /// Decisions that wait for the outcomes before their turns.
    private var unconfirmed: [(waiter: Waiter, number: Int)] = []
    /// Decisions that wait until every announced outcome has its place.
    private var unplaced: [(waiter: Waiter, number: Int)] = []

    /// Whether there is nothing to remember.
    var isIdle: Bool {
        announced == 0 && kept == 0 && placed.isEmpty && decisions.isEmpty && queue.isEmpty && unconfirmed.isEmpty
            && unplaced.isEmpty
    }

    // MARK: Outcomes

    /// An outcome is known and will be booked.
    mutating func announce() { announced += 1 }

    /// An outcome that was announced has its place among the ledger's steps; returns its number.
    mutating func place() -> (number: Int, answers: [Answer]) {
        announced -= 1
        lastNumber += 1
        placed.append(lastNumber)
        return (lastNumber, answers())
    }

    /// The booking of an outcome has ended; `number` is nil when it never had a place, `isKept` says that the books could not
    /// take it.
    mutating func end(_ number: Int?, isKept: Bool) -> [Answer] {
        if let number { placed.removeAll { $0 == number } } else { announced -= 1 }
        if isKept { kept += 1 }
        return answers()
    }

    /// An outcome that was kept is booked, or given up.
    mutating func release() { kept -= 1 }

    // MARK: Decisions

    /// Grants a turn at once and returns its number, where no caller has to wait; `hasLeft` says whether the agent has left,
    /// for as long as the decision runs.
    mutating func begin(hasLeft: @escaping @Sendable () -> Bool) -> Int? {
        // While callers wait, the turn is not free.
        guard kept == 0, isFree else { return nil }
        return grantTurn(hasLeft)
    }

    /// A caller waits for a turn.
    mutating func ask(_ waiter: Waiter, hasLeft: @escaping @Sendable () -> Bool) -> [Answer] {
        queue.append((waiter, hasLeft))
        return answers()
    }

    /// The step of the decision has its place among the ledger's steps.
    mutating func endTurn(_ number: Int) -> [Answer] {
        guard turn == number else { return [] }
        turn = nil
        return answers()
    }

    /// Whether the outcomes before a turn are booked, and none is kept.
    func isConfirmed(_ number: Int) -> Bool { kept == 0 && placed.first ?? .max > number }

    /// A decision waits for the outcomes before its turn.
    mutating func confirm(_ number: Int, for waiter: Waiter) -> [Answer] {
        unconfirmed.append((waiter, number))
        return answers()
    }

    /// A decision waits until every outcome that is announced by now has its place; one that is announced after its turn was
    /// granted does not have it yet.
    mutating func awaitPlaces(_ number: Int, for waiter: Waiter) -> [Answer] {
        unplaced.append((waiter, number))
        return answers()
    }

    /// The decision is over.
    mutating func endDecision(_ number: Int) -> [Answer] {
        decisions.removeAll { $0.number == number }
        if turn == number { turn = nil }
        return answers()
    }

    /// Whether no turn is taken and nothing has to come before the next one.
    private var isFree: Bool { turn == nil && announced == 0 && !decisions.contains { $0.hasLeft() } }

    private mutating func grantTurn(_ hasLeft: @escaping @Sendable () -> Bool) -> Int {
        lastNumber += 1
        turn = lastNumber
        decisions.append(Decision(number: lastNumber, hasLeft: hasLeft))
        return lastNumber
    }

    /// The callers that may continue now.
    private mutating func answers() -> [Answer] {
        var answers: [Answer] = []
        if announced == 0, !unplaced.isEmpty {
            answers += unplaced.map { ($0.waiter, $0.number) }
            unplaced = []
        }
        if !unconfirmed.isEmpty {
            let (waiting, isKept) = (unconfirmed, kept > 0)
            for (waiter, number) in waiting where isKept || isConfirmed(number) {
                answers.append((waiter, isKept ? nil : number))
            }
            unconfirmed = waiting.filter { !isKept && !isConfirmed($0.number) }
        }
        if kept > 0 {
            answers += queue.map { ($0.waiter, nil) }
            queue = []
        }
        if let next = queue.first, isFree {
            queue.removeFirst()
            answers.append((next.waiter, grantTurn(next.hasLeft)))
        }
        return answers
    }
}
