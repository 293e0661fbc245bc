/// The order in which what happens to one request reaches the books, as a value: events in, who goes on out.
///
/// Identical requests take turns at asking the ledger to set money aside; a turn ends as soon as that step has its place
/// among the ledger's steps, not when it is on the disk. So reservations of many callers share commits, and each finds what
/// the ones before it left. A decision gets a turn, first come first served, when
/// - every outcome that was announced has its place too, so that the books run it before the reservation, and
/// - no decision still runs whose agent has left: what becomes of that attempt is about to be announced. A decision whose
///   agent is connected holds nobody up: parallel identical requests are separate payments.
///
/// An outcome that has its place can still fail, alone or with its commit. So a decision signs only after the outcomes before
/// its turn are on the disk; one that the books could not take is kept, and nothing is decided until it is released.
struct RequestOrder<Waiter> {
    /// Somebody who waited or just asked, and the number to go on with; nil when an outcome is kept.
    typealias Answer = (waiter: Waiter, number: Int?)

    private struct Decision {
        let number: Int
        let hasLeft: @Sendable () -> Bool
    }

    /// Outcomes and turns are numbered as they come, so the outcomes before a turn have smaller numbers.
    private var lastNumber = 0
    /// How many outcomes are known and have no place among the ledger's steps yet.
    private var announced = 0
    /// The outcomes that have a place and are not on the disk, by number, ascending.
    private var placed: [Int] = []
    /// How many outcomes the books could not take.
    private var kept = 0
    /// The decision whose turn it is.
    private var turn: Int?
    /// The decisions that run, the one whose turn it is included.
    private var decisions: [Decision] = []
    /// Who waits for a turn, longest first.
    private var queue: [(waiter: Waiter, hasLeft: @Sendable () -> Bool)] = []
    /// Decisions that wait for the outcomes before their turn.
    private var unconfirmed: [(waiter: Waiter, number: Int)] = []

    /// Whether there is nothing to remember.
    var isIdle: Bool {
        announced == 0 && kept == 0 && placed.isEmpty && decisions.isEmpty && queue.isEmpty && unconfirmed.isEmpty
    }

    // MARK: Outcomes

    /// An outcome is known, and will be booked.
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

    /// Somebody wants to decide; `hasLeft` says whether its agent has left, for as long as the decision runs.
    mutating func ask(_ waiter: Waiter, hasLeft: @escaping @Sendable () -> Bool) -> [Answer] {
        queue.append((waiter, hasLeft))
        return answers()
    }

    /// The decision has asked the ledger for what it wants: the next one may.
    mutating func endTurn(_ number: Int) -> [Answer] {
        guard turn == number else { return [] }
        turn = nil
        return answers()
    }

    /// A decision wants to sign.
    mutating func confirm(_ number: Int, for waiter: Waiter) -> [Answer] {
        unconfirmed.append((waiter, number))
        return answers()
    }

    /// The decision is over.
    mutating func endDecision(_ number: Int) -> [Answer] {
        decisions.removeAll { $0.number == number }
        if turn == number { turn = nil }
        return answers()
    }

    /// Who can go on now.
    private mutating func answers() -> [Answer] {
        var answers: [Answer] = []
        if !unconfirmed.isEmpty {
            let oldest = placed.first ?? .max
            let (isKept, isOpen) = (kept > 0, { (number: Int) in oldest < number })
            for (waiter, number) in unconfirmed where isKept || !isOpen(number) {
                answers.append((waiter, isKept ? nil : number))
            }
            unconfirmed.removeAll { isKept || !isOpen($0.number) }
        }
        if kept > 0 {
            answers += queue.map { ($0.waiter, nil) }
            queue = []
        }
        guard let next = queue.first, turn == nil, announced == 0, !decisions.contains(where: { $0.hasLeft() }) else {
            return answers
        }
        queue.removeFirst()
        lastNumber += 1
        turn = lastNumber
        decisions.append(Decision(number: lastNumber, hasLeft: next.hasLeft))
        answers.append((next.waiter, lastNumber))
        return answers
    }
}
