import Ledger
import Primitives
import Synchronization

/// Bounds how many new payments of one agent are outstanding at a gateway while nothing shows that it accepts them.
///
/// Until the gateway has accepted a payment of the agent in this process, and again after each rejection until the next
/// accepted payment, at most ``limit`` payments that begin meanwhile are outstanding. More of them wait, in their order, until
/// they are withdrawn; none is refused for it. An honest burst of first calls waits once for its first answer. Of a gateway that rejects everything,
/// the rejections pause the agent before more are signed.
///
/// What is kept is bounded by the agents in the books times the configured gateways.
final class SlowStart: Sendable {
    /// The most payments that are outstanding while none is accepted.
    ///
    /// With ``AgentRejections/routesToStop`` rejections before the agent is paused, and three probes in the ten minutes after
    /// that, a gateway that rejects under ever new paths gets nine authorizations: 4 + 2 + 3.
    static let limit = 4

    /// Whose payments, and where.
    struct Pair: Hashable, Sendable {
        /// The agent's name.
        let agent: String
        /// The gateway's name.
        let gateway: String
    }

    /// The right to have one payment outstanding; ``end(_:_:)`` follows.
    struct Place: Sendable {
        fileprivate let pair: Pair
        /// Nil where the number of payments is not bounded.
        fileprivate let number: Int?

        /// The same pair, for a payment that takes no place: its bytes were sent before.
        var unbounded: Place { Place(pair: pair, number: nil) }
    }

    /// What became of the payment of a place.
    enum Outcome: Sendable {
        case accepted
        case rejected
        /// Nothing that says how the gateway takes payments, or nothing was sent.
        case other

        /// What an event of the books says.
        init(_ event: PaymentEvent) {
            switch event {
            case .settled, .servedUnproven: self = .accepted
            case .rejected, .rejectedLate: self = .rejected
            default: self = .other
            }
        }
    }

    private struct Waiting {
        let number: Int
        let caller: CheckedContinuation<Place?, Never>
    }

    private struct Standing {
        var isProven = false
        var outstanding: Set<Int> = []
        var waiting: [Waiting] = []
    }

    private struct State {
        var standings: [Pair: Standing] = [:]
        var lastNumber = 0

        /// A place for the next payment; nil where it has to wait.
        mutating func place(_ pair: Pair, _ limit: Int) -> Place? {
            guard let standing = standings[pair] else { return bounded(pair) }
            if standing.isProven { return Place(pair: pair, number: nil) }
            guard standing.waiting.isEmpty, standing.outstanding.count < limit else { return nil }
            return bounded(pair)
        }

        mutating func bounded(_ pair: Pair) -> Place {
            let number = nextNumber()
            standings[pair, default: Standing()].outstanding.insert(number)
            return Place(pair: pair, number: number)
        }

        mutating func nextNumber() -> Int {
            lastNumber += 1
            return lastNumber
        }

        /// Takes out one that waits; nil where it does not, or no longer.
        mutating func remove(_ number: Int, of pair: Pair) -> Waiting? {
            guard let index = standings[pair]?.waiting.firstIndex(where: { $0.number == number }) else { return nil }
            return standings[pair]?.waiting.remove(at: index)
        }
    }

    private let state = Mutex(State())
    private let limit: Int

    /// Makes one; `limit` is at least 1.
    init(limit: Int = SlowStart.limit) {
        self.limit = max(limit, 1)
    }

    /// A place, where that is free at once.
    func place(for pair: Pair) -> Place? { state.withLock { $0.place(pair, limit) } }

    /// Waits for a place; nil where the request is withdrawn first.
    func awaitPlace(for pair: Pair, withdrawal: Withdrawal) async -> Place? {
        let number = state.withLock { $0.nextNumber() }
        // Before it waits: afterwards its task may already be in another wait.
        withdrawal.whenWithdrawn { self.leave(pair, number) }
        defer { withdrawal.whenWithdrawn(nil) }
        return await withCheckedContinuation { caller in
            let place = state.withLock { state -> Place? in
                if let place = state.place(pair, limit) { return place }
                state.standings[pair]?.waiting.append(Waiting(number: number, caller: caller))
                return nil
            }
            if let place { return caller.resume(returning: place) }
            if withdrawal.isWithdrawn { leave(pair, number) }
        }
    }

    private func leave(_ pair: Pair, _ number: Int) {
        state.withLock { $0.remove(number, of: pair) }?.caller.resume(returning: nil)
    }

    /// How many wait.
    func waiting(for pair: Pair) -> Int { state.withLock { $0.standings[pair]?.waiting.count ?? 0 } }

    /// Gives a place back, by what became of its payment; a second time it changes nothing but what the outcome says.
    func end(_ place: Place, _ outcome: Outcome) {
        let pair = place.pair
        let admitted = state.withLock { state -> [(Waiting, Place)] in
            guard var standing = state.standings[pair] ?? Self.beginning(outcome) else { return [] }
            if place.number == nil, standing.isProven, outcome != .rejected { return [] }
            if let number = place.number { standing.outstanding.remove(number) }
            switch outcome {
            case .accepted: standing.isProven = true
            case .rejected: standing.isProven = false
            case .other: break
            }
            let free = standing.isProven ? .max : max(0, limit - standing.outstanding.count)
            let next = standing.waiting.prefix(free)
            standing.waiting.removeFirst(next.count)
            let isIdle = !standing.isProven && standing.outstanding.isEmpty && standing.waiting.isEmpty
            state.standings[pair] = isIdle && next.isEmpty ? nil : standing
            return next.map { waiter in
                (waiter, standing.isProven ? Place(pair: pair, number: nil) : state.bounded(pair))
            }
        }
        for (waiter, place) in admitted { waiter.caller.resume(returning: place) }
    }

    private static func beginning(_ outcome: Outcome) -> Standing? { outcome == .accepted ? Standing() : nil }
}

extension SlowStart {
    /// Decides about a request once it has a place, which a new payment keeps until its outcome is known.
    ///
    /// A request that had to wait is decided about at the time it was admitted.
    func admit(
        _ request: PaymentRequest, clock: any WallClock, withdrawal: Withdrawal,
        decide: (PaymentRequest, Timestamp) async -> ChallengeAnswer
    ) async -> ChallengeAnswer {
        let asked = clock.now()
        // An operator who lets no rejection pause anything wants no bound either.
        guard request.policy.rules.stopAfterRejections > 0 else { return await decide(request, asked) }
        if let place = place(for: request.pair) { return keep(place, for: await decide(request, asked)) }
        let place = await awaitPlace(for: request.pair, withdrawal: withdrawal)
        guard let place else { return .abandoned }
        guard !withdrawal.isWithdrawn else { return keep(place, for: .abandoned) }
        let now = clock.now()
        return keep(place, for: await decide(request.later(by: now.seconds - asked.seconds), now))
    }

    /// Decides about a request where it need not wait; nil otherwise.
    func admitAtOnce(_ request: PaymentRequest, decide: () async -> ChallengeAnswer) async -> ChallengeAnswer? {
        guard request.policy.rules.stopAfterRejections > 0 else { return await decide() }
        guard let place = place(for: request.pair) else { return nil }
        return keep(place, for: await decide())
    }

    /// Leaves a place to a new payment, which gives it back with its outcome; without one it is given back at once.
    private func keep(_ place: Place, for answer: ChallengeAnswer) -> ChallengeAnswer {
        guard let payment = answer.payment else {
            end(place, .other)
            return answer
        }
        if payment.isAdopted { end(place, .other) }
        return .pay(payment.taking(payment.isAdopted ? place.unbounded : place))
    }
}
