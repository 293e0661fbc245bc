import Primitives
import Synchronization
import X402

/// The prices of routes, in memory only: a restart learns them anew.
final class LearnedPrices: Sendable {
    /// Routes that are remembered.
    private static let limit = 1024
    /// Models told apart on one route.
    private static let modelLimit = 16
    /// The longest challenge that is kept, in bytes.
    private static let sourceLimit = 8 * 1024

    private let routes = Mutex<[RequestRoute: [Fact<String>: LearnedPrice]]>([:])

    /// Whether a payment was made on a route before.
    func isKnown(_ route: RequestRoute) -> Bool { routes.withLock { $0[route] != nil } }

    /// Whether the price of some model is learned on a route.
    func hasPrice(of route: RequestRoute, at now: Timestamp) -> Bool {
        routes.withLock { $0[route]?.values.contains { $0.isLearned(at: now) } ?? false }
    }

    /// The price that may be gone by; never for an unknown model, whose requests may be for different ones.
    func price(of route: RequestRoute, model: Fact<String>, at now: Timestamp) -> LearnedPrice? {
        guard !model.isUnknown else { return nil }
        return routes.withLock { $0[route]?[model].flatMap { $0.isLearned(at: now) ? $0 : nil } }
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
        routes.withLock { routes in
            if routes[lesson.route] == nil {
                if routes.count >= Self.limit { Self.makeRoom(in: &routes) }
                routes[lesson.route] = [:]
            }
            guard !lesson.model.isUnknown else { return }
            guard verdict == .good else {
                routes[lesson.route]?[lesson.model]?.forget(wasWrong: lesson.isAttached && verdict == .bad)
                return
            }
            let models = routes[lesson.route, default: [:]]
            guard lesson.challenge.text.count <= Self.sourceLimit,
                models[lesson.model] != nil || models.count < Self.modelLimit
            else { return }
            routes[lesson.route]?[lesson.model, default: LearnedPrice(lesson)].settled(lesson)
        }
    }

    /// Forgets the routes without a price, such as paths that are bought once; and all, when most have one, since then room
    /// would have to be made each time.
    private static func makeRoom(in routes: inout [RequestRoute: [Fact<String>: LearnedPrice]]) {
        routes = routes.filter { $0.value.values.contains { $0.isStable } }
        if routes.count > limit / 2 { routes.removeAll() }
    }

    /// Something was served on a route without a payment, so that the next requests ask again.
    func forget(_ route: RequestRoute) {
        routes.withLock { routes in
            for model in routes[route]?.keys.map(\.self) ?? [] { routes[route]?[model]?.forget() }
        }
    }

    /// Drops the prices for which something else is in force now: their requests ask again.
    func keep(where isInForce: (RequestRoute, PriceBinding) -> Bool) {
        routes.withLock { routes in
            for (route, models) in routes {
                for (model, price) in models where !isInForce(route, price.binding) {
                    routes[route]?[model]?.forget()
                }
            }
        }
    }

    /// A price could not be paid, so that the next requests ask again.
    func forget(_ route: RequestRoute, model: Fact<String>) {
        routes.withLock { $0[route]?[model]?.forget() }
    }
}
