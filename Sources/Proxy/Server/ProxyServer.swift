import NIOCore
package import NIOPosix
import Synchronization
package import Transport

/// The agents' side of the daemon: listeners whose connections live on the event loops of one group.
package struct ProxyServer: Sendable {
    private let listeners: [Listener]
    let services: ProxyServices
    let loops: LoopTable

    /// Where agents connect to, in the order of the places that were asked for, with the ports that were taken.
    package var places: [ListeningPlace] { listeners.map(\.place) }

    /// The ports that are listened on.
    package var ports: [Int] { listeners.compactMap(\.port) }

    /// Binds all places, then serves; each connection and its upstream connections share one event loop of `group`, and
    /// each new one goes to the loop that has the fewest.
    ///
    /// `services` is asked once with the ports that were bound. Throws ``ListenFailure``, and then listens nowhere.
    package static func start(
        at places: [ListeningPlace], services: ([Int]) -> ProxyServices, tls: TLSClientContext,
        group: MultiThreadedEventLoopGroup
    ) async throws -> ProxyServer {
        let loops = LoopTable(group)
        // Nothing is accepted until the ports are known and every loop has its services.
        var listeners: [Listener] = []
        do {
            for place in places { listeners.append(try await Listener.open(place, loops: loops)) }
            let services = services(listeners.compactMap(\.port))
            let all = Array(group.makeIterator())
            for loop in all { try await loops.add(loop, of: all.count, services: services, tls: tls) }
            for listener in listeners { try await listener.accept() }
            return ProxyServer(listeners: listeners, services: services, loops: loops)
        } catch {
            for listener in listeners { await listener.close() }
            throw error
        }
    }

    /// Puts other rules in force on every loop, from the next request on; tunnels whose right has ended by them end at the
    /// next review.
    package func replace(_ rules: ProxyRules) async {
        await loops.each { $0.replace(rules) }
        services.tunnels.rulesChanged()
    }

    /// How long the outcomes of exchanges that were cut off may take to reach the books and the agents.
    private static let lastWords = Duration.seconds(5)

    /// Stops accepting, lets what is under way come to its end for at most `patience`, and cuts off what has not.
    ///
    /// Returns once every outcome is in the books, at most five seconds after `patience`. Requests that come
    /// meanwhile are answered 503.
    package func stop(patience: Duration) async {
        for listener in listeners { await listener.close() }
        await loops.each { $0.stop() }
        await settle(within: patience)
        await loops.each { $0.cutOff() }
        await settle(within: Self.lastWords)
    }

    private func settle(within patience: Duration) async {
        let clock = ContinuousClock()
        let end = clock.now + patience
        while clock.now < end {
            // In this order: only an exchange begins a booking.
            if await !loops.each({ $0.isBusy }).contains(true), services.bookings.isEmpty { return }
            try? await clock.sleep(for: .milliseconds(10))
        }
    }
}

/// The shared state of each event loop, found by the loop itself.
final class LoopTable: Sendable {
    private let entries = Mutex<[ObjectIdentifier: NIOLoopBound<ProxyLoop>]>([:])
    /// The loops themselves.
    let group: MultiThreadedEventLoopGroup
    /// Which of them the next connection gets.
    let spread: LoopSpread

    init(_ group: MultiThreadedEventLoopGroup) {
        self.group = group
        spread = LoopSpread(group)
    }

    /// The state of a loop; asked on that loop.
    subscript(loop: any EventLoop) -> ProxyLoop? {
        entries.withLock { $0[ObjectIdentifier(loop)] }?.value
    }

    /// Adds one of `count` loops.
    func add(_ loop: any EventLoop, of count: Int, services: ProxyServices, tls: TLSClientContext) async throws {
        let entry = try await loop.submit {
            NIOLoopBound(ProxyLoop(loop: loop, of: count, services: services, tls: tls), eventLoop: loop)
        }.get()
        entries.withLock { $0[ObjectIdentifier(loop)] = entry }
    }

    /// Does something on every loop that still runs, one after the other.
    @discardableResult
    func each<Answer: Sendable>(_ body: @escaping @Sendable (ProxyLoop) -> Answer) async -> [Answer] {
        var answers: [Answer] = []
        for entry in entries.withLock({ Array($0.values) }) {
            if let answer = try? await entry.eventLoop.submit({ body(entry.value) }).get() { answers.append(answer) }
        }
        return answers
    }
}
