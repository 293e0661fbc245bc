import Primitives
import Synchronization
import X402

/// The prices of routes, in memory only: a restart learns them again.
///
/// The memory is divided by the agents' shares, and every agent that has learned something counts as active: what it
/// learned within its share stays, however much others buy. An agent that may have no more forgets a route of its own:
/// one without a price first, then the one that was used least recently.
final class LearnedPrices: Sendable {
    /// Models told apart on one route.
    private static let modelLimit = 16
    /// The most of what a seller and an agent chose that is kept for one price, in bytes.
    static let entryLimit = 2 * 1024

    /// What is known of a route.
    private struct Known {
        let agent: Int
        let place: PotPlace
        let use: HolderProgress
        /// Its place in the order of the agent's routes with a price, or of those without, as `hasPrice` says.
        var order: Int
        var models: [Fact<String>: LearnedPrice] = [:]

        var hasPrice: Bool { models.values.contains { $0.isStable } }
    }

    /// A route that holds units of the pot, one for each price and one at least.
    private struct Holder: UnitHolder {
        let route: RequestRoute
        let use: HolderProgress
        var lastProgress: Int64 { use.lastProgress }
        var mayBeEnded: Bool { true }
    }

    /// An agent's routes in the order of their use.
    private struct Orders {
        var withPrice = RecencyOrder<RequestRoute>()
        var withoutPrice = RecencyOrder<RequestRoute>()

        subscript(hasPrice: Bool) -> RecencyOrder<RequestRoute> {
            get { hasPrice ? withPrice : withoutPrice }
            _modify { if hasPrice { yield &withPrice } else { yield &withoutPrice } }
        }
    }

    private struct State {
        var pot: SharedPot<Holder>
        var routes: [RequestRoute: Known] = [:]
        /// By agent number.
        var orders: [Orders] = []

        /// Takes in a route that holds no unit yet.
        mutating func add(_ route: RequestRoute, of agent: Int, at now: Int64) -> PotPlace {
            let use = HolderProgress(at: now)
            let place = pot.add(Holder(route: route, use: use), of: agent)
            while orders.count <= agent { orders.append(Orders()) }
            let order = orders[agent].withoutPrice.append(route)
            routes[route] = Known(agent: agent, place: place, use: use, order: order)
            return place
        }

        mutating func remove(_ route: RequestRoute) {
            guard let known = routes.removeValue(forKey: route) else { return }
            orders[known.agent][known.hasPrice].remove(at: known.order)
            pot.remove(at: known.place)
        }

        mutating func used(_ known: Known, at now: Int64) {
            known.use.made(at: now)
            orders[known.agent][known.hasPrice].use(known.order)
        }

        /// Changes what is known of a route's models, and moves the route to the other order where that is right now.
        mutating func change(_ route: RequestRoute, _ edit: (inout [Fact<String>: LearnedPrice]) -> Void) {
            guard let index = routes.index(forKey: route) else { return }
            let before = routes.values[index].hasPrice
            edit(&routes.values[index].models)
            let known = routes.values[index]
            guard known.hasPrice != before else { return }
            orders[known.agent][before].remove(at: known.order)
            routes.values[index].order = orders[known.agent][known.hasPrice].append(route)
        }

        /// The agent's route that is forgotten next, other than one that needs room.
        func expendable(of agent: Int, but route: RequestRoute) -> RequestRoute? {
            [orders[agent].withoutPrice.oldest, orders[agent].withPrice.oldest].lazy.compactMap(\.self)
                .first { $0 != route }
        }
    }

    private let agents: ActiveAgents
    private let state: Mutex<State>

    init(total: Int = PaymentPots.standard.learnedPrices, agents: ActiveAgents = ActiveAgents()) {
        self.agents = agents
        state = Mutex(State(pot: SharedPot(total: total)))
    }

    /// Whether a payment was made on a route before.
    func isKnown(_ route: RequestRoute) -> Bool { state.withLock { $0.routes[route] != nil } }

    /// Whether the price of some model is learned on a route.
    func hasPrice(of route: RequestRoute, at now: Timestamp) -> Bool {
        state.withLock { $0.routes[route]?.models.values.contains { $0.isLearned(at: now) } ?? false }
    }

    /// The price that may be gone by; never for an unknown model, whose requests may be for different ones.
    func price(of route: RequestRoute, model: Fact<String>, at now: Timestamp) -> LearnedPrice? {
        guard !model.isUnknown else { return nil }
        let used = agents.now()
        return state.withLock { state in
            guard let known = state.routes[route], let price = known.models[model], price.isLearned(at: now) else {
                return nil
            }
            state.used(known, at: used)
            return price
        }
    }

    /// What the outcome of a payment says of its price.
    enum Verdict {
        /// It is fixed, and was settled and worth it.
        case good
        /// The seller wants another one, or none.
        case bad
        /// Nothing.
        case none
    }

    /// Takes in what became of a payment.
    func learn(_ lesson: PriceLesson, _ verdict: Verdict) {
        let route = lesson.route
        guard route.size <= Self.entryLimit else { return }
        let agent = agents.agent(named: route.agent)
        let now = agents.now()
        let active = agents.count(at: now)
        state.withLock { state in
            if let known = state.routes[route] {
                state.used(known, at: now)
            } else {
                let place = state.add(route, of: agent.number, at: now)
                guard Self.take(at: place, of: agent.number, for: route, in: &state, among: active, at: now) else {
                    return state.remove(route)
                }
            }
            guard !lesson.model.isUnknown else { return }
            guard verdict == .good else {
                return state.change(route) {
                    $0[lesson.model]?.forget(wasWrong: lesson.isAttached && verdict == .bad)
                }
            }
            guard let known = state.routes[route], lesson.size <= Self.entryLimit else { return }
            if known.models[lesson.model] == nil {
                guard known.models.count < Self.modelLimit,
                    // The first price of a route goes into the unit that the route has.
                    known.models.isEmpty
                        || Self.take(
                            at: known.place, of: agent.number, for: route, in: &state, among: active, at: now)
                else { return }
            }
            state.change(route) { $0[lesson.model, default: LearnedPrice(lesson)].settled(lesson) }
        }
    }

    /// Takes one unit, from a route of another agent that borrowed it, or else from another route of the same agent.
    private static func take(
        at place: PotPlace, of agent: Int, for route: RequestRoute, in state: inout State, among active: Int,
        at now: Int64
    ) -> Bool {
        while true {
            // Every agent that has learned something counts as active.
            let agents = max(active, state.pot.holders(with: agent))
            let answer = state.pot.take(1, at: place, among: agents)
            if answer == .granted { return true }
            if answer == .shareIsLent,
                let stalled = state.pot.reclaim(for: agent, among: agents, at: now, isActive: { _ in true }),
                let other = state.pot.holder(at: stalled)
            {
                state.remove(other.route)
            } else if let own = state.expendable(of: agent, but: route) {
                state.remove(own)
            } else {
                state.pot.countRefusal()
                return false
            }
        }
    }

    /// Something was served on a route without a payment, so that the next requests ask again.
    func forget(_ route: RequestRoute) {
        state.withLock { state in
            state.change(route) { models in
                for model in models.keys.map(\.self) { models[model]?.forget() }
            }
        }
    }

    /// Drops the prices for which something else is in force now: their requests ask again.
    func keep(where isInForce: (RequestRoute, PriceBinding) -> Bool) {
        state.withLock { state in
            for route in state.routes.keys.map(\.self) {
                state.change(route) { models in
                    for (model, price) in models where !isInForce(route, price.binding) { models[model]?.forget() }
                }
            }
        }
    }

    /// A price could not be paid, so that the next requests ask again.
    func forget(_ route: RequestRoute, model: Fact<String>) {
        state.withLock { $0.change(route) { $0[model]?.forget() } }
    }

    /// The pot as it is now.
    var snapshot: PotSnapshot {
        PotSnapshot(
            name: "learned-prices", unit: .count, state.withLock { $0.pot }, agents: agents, at: agents.now())
    }
}

extension RequestRoute {
    /// The bytes of what an agent and the operator chose.
    fileprivate var size: Int { agent.utf8.count + gateway.utf8.count + method.utf8.count + target.utf8.count }
}

extension PriceLesson {
    /// The bytes of what is kept of it.
    fileprivate var size: Int {
        let name: Int
        if case .known(let model) = model { name = model.utf8.count } else { name = 0 }
        return route.size + name + challenge.text.count + accepted.count
    }
}
