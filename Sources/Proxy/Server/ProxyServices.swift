import Ledger
package import Logging
import NIOCore
package import NIOPosix
package import Payments
package import Primitives
import Synchronization
import Transport

/// What every exchange needs, shared by all event loops.
package final class ProxyServices: Sendable {
    /// The operator's rules that each loop begins with; ``ProxyLoop/rules`` are those in force.
    let rules: ProxyRules
    let agents: AgentDirectory
    let engine: PaymentEngine
    let replayLimits: ReplayLimits
    let threads: NIOThreadPool
    let timeouts: ProxyTimeouts
    /// By what a request is recognized that comes back.
    let loopMark: LoopMark
    /// How many idle connections to gateways there are.
    let idleConnections = IdleBound()
    let clock: any WallClock
    let meters: ProxyMeters
    let logger: Logger
    /// Decisions and payments whose outcome is not in the books yet.
    let bookings = PendingBookings()
    let tunnels = OpenTunnels()
    let connectionCount = CountByAgent()
    /// Long and compressed bodies are read one at a time for each agent.
    let readingTurns = ReadingTurns()
    /// What agents share.
    let pots: SharedPots
    /// Paid answers that are kept or outstanding, whose agents have left.
    let openAnswers = OpenAnswers()

    /// Gathers the services.
    package init(
        rules: ProxyRules, agents: AgentDirectory, engine: PaymentEngine, replayLimits: ReplayLimits,
        replayMemory: Int, keptAnswers: KeptAnswerLimits = .standard, activity: ActiveAgents = ActiveAgents(),
        threads: NIOThreadPool,
        timeouts: ProxyTimeouts = .standard, loopMark: LoopMark, clock: any WallClock,
        meters: ProxyMeters = ProxyMeters(), logger: Logger
    ) {
        self.rules = rules
        self.agents = agents
        self.engine = engine
        self.replayLimits = replayLimits
        pots = SharedPots(
            agents: activity, connections: rules.connections, replay: replayLimits, replayMemory: replayMemory,
            keptAnswers: keptAnswers)
        self.threads = threads
        self.timeouts = timeouts
        self.loopMark = loopMark
        self.clock = clock
        self.meters = meters
        self.logger = logger
    }

    /// Books the outcome of a payment, which began with the decision to make it, and keeps no event loop waiting.
    func book(
        _ answer: PaidAnswer, of payment: AuthorizedPayment, isRepeat: Bool = false, isOrphan: Bool = false,
        delivery: AnswerDelivery? = nil, note: String? = nil, on executor: LoopExecutor
    ) {
        engine.announceOutcome(of: payment)
        bookAnnounced(
            answer, of: payment, isRepeat: isRepeat, isOrphan: isOrphan, delivery: delivery, note: note,
            on: executor)
    }

    /// Books an outcome that was announced already.
    func bookAnnounced(
        _ answer: PaidAnswer, of payment: AuthorizedPayment, isRepeat: Bool, isOrphan: Bool = false,
        delivery: AnswerDelivery?, note: String?, on executor: LoopExecutor
    ) {
        Task(executorPreference: executor) {
            await self.engine.book(
                answer, of: payment, isRepeat: isRepeat, isOrphan: isOrphan, delivery: delivery, note: note)
            self.bookings.end()
        }
    }

    /// Books that nobody waits for a payment any more, whose outcome may still come and is booked then.
    func loseSight(of payment: AuthorizedPayment, on executor: LoopExecutor) {
        bookings.begin()
        engine.announceOutcome(of: payment)
        Task(executorPreference: executor) {
            await self.engine.loseSight(of: payment)
            self.bookings.end()
        }
    }

    /// Tells the operator that a prepaid gateway's balance is used up.
    func noticeLowBalance(of gateway: String, on executor: LoopExecutor) {
        bookings.begin()
        Task(executorPreference: executor) {
            await self.engine.noticeLowBalance(of: gateway)
            self.bookings.end()
        }
    }
}

/// How many payments are under way, from their decision to their booked outcome, and what else is still to be written;
/// a clean shutdown waits until there is none.
final class PendingBookings: Sendable {
    private let count = Atomic<Int>(0)

    func begin() { count.wrappingAdd(1, ordering: .relaxed) }

    func end() { count.wrappingSubtract(1, ordering: .relaxed) }

    var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }
}

/// The authorities by which this proxy may be addressed: a web page that rebinds a name of its own is turned away.
package struct HostRule: Sendable {
    private let accepted: Set<String>
    private let onAnyPort: Set<String>
    private let ports: Set<Int>

    /// Accepts the loopback names with `ports`, and everything in `more`: `host` (any port) or `host:port`.
    package init(ports: [Int], more: [String]) {
        self.ports = Set(ports)
        var accepted: Set<String> = []
        for host in ["127.0.0.1", "localhost", "[::1]"] {
            for port in ports {
                accepted.insert("\(host):\(port)")
                if port == 80 { accepted.insert(host) }
            }
        }
        let more = more.map { $0.lowercased() }
        self.accepted = accepted.union(more)
        onAnyPort = Set(more.filter { Self.withoutPort($0) == nil })
    }

    /// Whether a Host field may stand in a request.
    package func accepts(_ host: String) -> Bool {
        let host = host.lowercased()
        return accepted.contains(host) || Self.withoutPort(host).map(onAnyPort.contains) ?? false
    }

    /// Whether this proxy listens on a port.
    func listens(on port: Int) -> Bool { ports.contains(port) }

    /// The host in front of a port; nil when there is no port.
    private static func withoutPort(_ text: String) -> String? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let port = text[text.index(after: colon)...].utf8
        guard !port.isEmpty, port.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return String(text[..<colon])
    }
}

/// What the exchanges of one event loop share.
///
/// Not thread-safe: used on its loop only.
final class ProxyLoop {
    let loop: any EventLoop
    let executor: LoopExecutor
    let services: ProxyServices
    let pool: UpstreamPool
    let deadlines: DeadlineSweep
    /// The operator's rules in force.
    private(set) var rules: ProxyRules
    /// Gateways that give no word before they get a body.
    var unasked: Set<Unasked> = []
    /// How many rules were in force before: what earlier ones allowed an agent is not used under later ones.
    private(set) var rulesNumber: UInt64 = 0
    /// Open tunnels whose bytes pass unread.
    var tunnels: [ObjectIdentifier: Tunnel] = [:]
    /// The slots of all open tunnels, those whose TLS ends here included.
    var openSlots: [ObjectIdentifier: WeakSlot] = [:]
    /// The agents' open connections.
    var connections: [ObjectIdentifier: AgentConnection] = [:]
    /// Handshakes of agents who may be strangers.
    let handshakes = HandshakeCount()
    /// Connections whose next step waits for the steps of others.
    let turns: ConnectionTurns
    private let open: OpenConnections
    /// How many loops share the work.
    private let loopCount: Int
    /// Exchanges whose payment is out and whose agent has gone.
    var orphans: [ObjectIdentifier: Exchange] = [:]
    /// Whether no new exchange may begin.
    private(set) var isStopping = false

    /// Makes the state of one of `loopCount` loops.
    init(loop: any EventLoop, of loopCount: Int, services: ProxyServices, tls: TLSClientContext) {
        self.loop = loop
        self.loopCount = loopCount
        open = OpenConnections(pots: services.pots, counts: services.connectionCount)
        executor = LoopExecutor(loop: loop)
        turns = ConnectionTurns(bell: LoopBell(loop: loop))
        self.services = services
        deadlines = DeadlineSweep(loop: loop)
        rules = services.rules
        pool = UpstreamPool(loop: loop, tls: tls, deadlines: deadlines, idle: services.idleConnections)
        pool.guarded = rules.forward.addresses
    }

    /// Looks up a host that an agent names.
    func resolver(for agent: Agent) -> GuardedResolver {
        GuardedResolver(addresses: rules.forward.addresses, loop: loop, for: .agent(ConnectionOwner(agent)))
    }

    /// Takes a new connection in until it is closed.
    func admit(_ channel: any Channel) -> OpenConnections.Place {
        let place = open.admit(channel, limit: rules.connections.strangers(of: loopCount))
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.open.leave(place) }
        return place
    }

    /// Whether an agent may have a connection on which it has just shown its token.
    func identify(_ place: OpenConnections.Place, as agent: String) -> OpenConnections.Identification {
        open.identify(place, as: agent, limit: rules.connections.perAgent)
    }

    /// Holds other rules from the next request on; exchanges under way go on by those that they began with, tunnels are
    /// held against the new ones at the next review.
    func replace(_ rules: ProxyRules) {
        self.rules = rules
        services.pots.connections.resize(to: rules.connections.agents)
        rulesNumber += 1
        pool.guarded = rules.forward.addresses
        unasked = []
        // They may lead to addresses that are not dialled any more.
        pool.closeIdle()
    }

    /// Lets no new exchange begin, and closes what waits for nothing.
    func stop() {
        isStopping = true
        for connection in connections.values { connection.closeIfIdle() }
        for exchange in Array(orphans.values) { exchange.stopKeeping() }
        pool.closeIdle()
    }

    /// Whether an agent still waits for an answer, or for the rest of one.
    var isBusy: Bool { !orphans.isEmpty || connections.values.contains { $0.isBusy } }

    /// Ends every exchange that is under way.
    func cutOff() {
        for connection in Array(connections.values) { connection.cutOff() }
        for exchange in Array(orphans.values) { exchange.cutOff() }
        for tunnel in Array(tunnels.values) { tunnel.cutOff() }
    }
}
