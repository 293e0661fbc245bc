import NIOCore
import Synchronization

/// The memory that all kept answers of the process may take together.
///
/// The oldest answer makes room for a newer one.
final class KeptMemory: Sendable {
    private struct Holder {
        weak var answer: KeptAnswer?
        var bytes = 0
    }

    private struct State {
        var used = 0
        var holders: [UInt64: Holder] = [:]
        /// Numbers of answers from the oldest on, with those that are gone.
        var order = CircularBuffer<UInt64>()
        var next: UInt64 = 0
        /// Numbers of answers that are gone and are let stand until it is worth a walk.
        private static let spareNumbers = 1024

        /// Takes an answer out, and the memory that it had.
        mutating func remove(_ number: UInt64) -> KeptAnswer? {
            guard let holder = holders.removeValue(forKey: number) else { return nil }
            used -= holder.bytes
            while let first = order.first, holders[first] == nil { order.removeFirst() }
            // An old answer at the front must not keep the numbers of all that came and went after it.
            if order.count > 2 * holders.count + Self.spareNumbers { order.removeAll { holders[$0] == nil } }
            return holder.answer
        }
    }

    /// How much one answer and all together may take.
    let limits: KeptAnswerLimits
    private let state = Mutex(State())

    init(limits: KeptAnswerLimits) {
        self.limits = limits
    }

    /// The memory in use, in bytes.
    var used: Int { state.withLock { $0.used } }

    /// How many answers are kept.
    var count: Int { state.withLock { $0.holders.count } }

    /// How many numbers are remembered for the order of answers: bounded by those that are kept.
    var remembered: Int { state.withLock { $0.order.count } }

    /// Takes an answer in, by the number that is returned.
    func add(_ answer: KeptAnswer) -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.holders[state.next] = Holder(answer: answer)
            state.order.append(state.next)
            return state.next
        }
    }

    /// Takes memory for an answer, from older ones where there is no other; false where it is itself the oldest or more
    /// than all may have is asked for.
    func take(_ bytes: Int, for number: UInt64) -> Bool {
        let (isTaken, dropped) = state.withLock { state -> (Bool, [KeptAnswer]) in
            guard bytes <= limits.total, state.holders[number] != nil else { return (false, []) }
            var dropped: [KeptAnswer] = []
            while state.used + bytes > limits.total {
                guard let oldest = state.order.first, oldest != number else { return (false, dropped) }
                if let answer = state.remove(oldest) { dropped.append(answer) }
            }
            state.used += bytes
            state.holders[number]?.bytes += bytes
            return (true, dropped)
        }
        for answer in dropped { answer.drop() }
        return isTaken
    }

    /// Puts back what an answer had.
    func remove(_ number: UInt64) {
        _ = state.withLock { $0.remove(number) }
    }
}
