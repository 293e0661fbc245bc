import NIOCore
import Primitives
import Synchronization

/// Who may use a connection to a gateway that takes only so many at once, on all event loops together.
///
/// The places are divided by the agents' shares. Whoever finds none free waits: a place that comes back goes to the agent
/// that holds the fewest, then to the one whose turn was the longest ago, and within an agent to the request that has
/// waited for longest.
final class GatewayPlaces: Sendable {
    /// The right to one connection; it is given back when nobody holds it any more.
    final class Place: Sendable {
        private let gateway: String
        private let places: GatewayPlaces
        private let position: PotPlace

        fileprivate init(at gateway: String, of places: GatewayPlaces, _ position: PotPlace) {
            self.gateway = gateway
            self.places = places
            self.position = position
        }

        deinit { places.giveBack(position, at: gateway) }
    }

    /// One who asks for a place.
    struct Request: Sendable {
        /// Whose it is, and how it gets on.
        let standing: AgentStanding
        /// Called on any thread when its place is needed for another agent's share.
        let whenTakenBack: @Sendable () -> Void
        /// Called on any thread, once and later, when there was no place at first.
        let grant: @Sendable (Place) -> Void
    }

    /// One who waits for a place.
    struct Wait {
        fileprivate let gateway: String
        fileprivate let agent: Int
        fileprivate let number: UInt64
        /// Whether other agents hold what belongs to this one's share.
        let isShare: Bool
    }

    /// What comes of asking for a place.
    enum Answer {
        case granted(Place)
        case wait(Wait)
    }

    private struct Holder: UnitHolder {
        let progress: HolderProgress
        let whenTakenBack: @Sendable () -> Void
        var lastProgress: Int64 { progress.lastProgress }
        var mayBeEnded: Bool { progress.mayBeEnded }
    }

    private struct Waiting {
        let number: UInt64
        let request: Request
    }

    private struct Queue {
        var pot: SharedPot<Holder>
        /// Who waits, by the number of the agent.
        var waiting: [Int: CircularBuffer<Waiting>] = [:]
        /// How many places were given so far, and at which of them each agent had its last.
        private var given: UInt64 = 0
        private var lastGiven: [Int: UInt64] = [:]

        init(limit: Int) {
            pot = SharedPot(total: limit)
        }

        /// Takes a place for a request; nil where there is none for it.
        mutating func take(for request: Request, among agents: Int) -> PotPlace? {
            guard pot.answer(to: 1, by: request.standing.agent.number, among: agents) == .granted else { return nil }
            let holder = Holder(progress: request.standing.progress, whenTakenBack: request.whenTakenBack)
            let place = pot.add(holder, of: request.standing.agent.number)
            _ = pot.take(1, at: place, among: agents)
            given += 1
            lastGiven[request.standing.agent.number] = given
            return place
        }

        /// Takes out those whose turn it is.
        mutating func next(among agents: Int) -> [(Waiting, PotPlace)] {
            var next: [(Waiting, PotPlace)] = []
            while let first = turns.first(where: { pot.answer(to: 1, by: $0.agent, among: agents) == .granted }),
                let place = take(for: first.waiting.request, among: agents)
            {
                waiting[first.agent]?.removeFirst()
                if waiting[first.agent]?.isEmpty == true { waiting[first.agent] = nil }
                next.append((first.waiting, place))
            }
            return next
        }

        /// The first of each agent: that of the agent with the fewest places, and among those whose last place is the oldest.
        private var turns: [(agent: Int, waiting: Waiting)] {
            func order(_ agent: Int) -> (Int, UInt64) { (pot.held(by: agent), lastGiven[agent] ?? 0) }
            return waiting.compactMap { agent, queue in queue.first.map { (agent: agent, waiting: $0) } }
                .sorted {
                    let (left, right) = (order($0.agent), order($1.agent))
                    return left == right ? $0.waiting.number < $1.waiting.number : left < right
                }
        }
    }

    private struct State {
        var queues: [String: Queue] = [:]
        var lastNumber: UInt64 = 0
    }

    private let agents: ActiveAgents
    private let state = Mutex(State())

    init(agents: ActiveAgents) {
        self.agents = agents
    }

    /// Asks for one of `limit` places at a gateway.
    func ask(at gateway: String, limit: Int, _ request: Request, at now: Int64) -> Answer {
        let active = agents.count(at: now)
        let agent = request.standing.agent.number
        let (place, wait, next) = state.withLock { state -> (PotPlace?, Wait, [(Waiting, PotPlace)]) in
            var queue = state.queues.removeValue(forKey: gateway) ?? Queue(limit: limit)
            defer { state.queues[gateway] = queue }
            queue.pot.resize(to: limit)
            // Those who have waited come first, where the limit was raised.
            let next = queue.next(among: active)
            let isShare = queue.pot.answer(to: 1, by: agent, among: active) == .shareIsLent
            state.lastNumber += 1
            let wait = Wait(gateway: gateway, agent: agent, number: state.lastNumber, isShare: isShare)
            if queue.waiting[agent] == nil, let place = queue.take(for: request, among: active) {
                return (place, wait, next)
            }
            queue.waiting[agent, default: []].append(Waiting(number: wait.number, request: request))
            return (nil, wait, next)
        }
        handOver(next, at: gateway)
        if let place { return .granted(Place(at: gateway, of: self, place)) }
        takeBack(at: gateway, now: now)
        return .wait(wait)
    }

    /// Gives on what shares have room for that grew meanwhile, and has the requests ended whose places belong to the shares of
    /// agents that wait, where they make no progress; those places come back as they end.
    func takeBack(at gateway: String, now: Int64) {
        let active = agents.count(at: now)
        let (next, ended) = state.withLock { state -> ([(Waiting, PotPlace)], [Holder]) in
            guard var queue = state.queues.removeValue(forKey: gateway) else { return ([], []) }
            defer { state.queues[gateway] = queue }
            let next = queue.next(among: active)
            let ended = queue.waiting.keys.compactMap { agent -> Holder? in
                guard queue.pot.answer(to: 1, by: agent, among: active) == .shareIsLent,
                    let place = queue.pot.reclaim(
                        for: agent, among: active, at: now,
                        isActive: { self.agents.isActive($0, at: now) }),
                    let holder = queue.pot.holder(at: place)
                else { return nil }
                // It is not found again before it has ended.
                holder.progress.protect(true)
                return holder
            }
            return (next, ended)
        }
        handOver(next, at: gateway)
        for holder in ended { holder.whenTakenBack() }
    }

    /// Leaves the queue; whoever has been granted a place meanwhile only has to let go of it.
    func cancel(_ wait: Wait, isRefusal: Bool = false) {
        state.withLock { state in
            if isRefusal { state.queues[wait.gateway]?.pot.countRefusal() }
            state.queues[wait.gateway]?.waiting[wait.agent]?.removeAll { $0.number == wait.number }
            if state.queues[wait.gateway]?.waiting[wait.agent]?.isEmpty == true {
                state.queues[wait.gateway]?.waiting[wait.agent] = nil
            }
        }
    }

    private func giveBack(_ position: PotPlace, at gateway: String) {
        let active = agents.count(at: agents.now())
        let next = state.withLock { state -> [(Waiting, PotPlace)] in
            guard var queue = state.queues.removeValue(forKey: gateway) else { return [] }
            defer { state.queues[gateway] = queue }
            queue.pot.remove(at: position)
            return queue.next(among: active)
        }
        handOver(next, at: gateway)
    }

    /// Outside of the lock: a place that nobody takes comes back at once.
    private func handOver(_ next: [(Waiting, PotPlace)], at gateway: String) {
        for (waiting, place) in next { waiting.request.grant(Place(at: gateway, of: self, place)) }
    }

    /// The places of each gateway that takes only so many, as far as any was asked for.
    func snapshots(at now: Int64) -> [PotSnapshot] {
        state.withLock { $0.queues.mapValues(\.pot) }.sorted { $0.key < $1.key }.map { gateway, pot in
            PotSnapshot(name: "gateway-places", gateway: gateway, unit: .count, pot, agents: agents, at: now)
        }
    }
}
