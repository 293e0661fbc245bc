import NIOCore

/// How many TLS handshakes may begin on one event loop, by address and by second: each costs a signature and a key exchange
/// before anything is known of who asks.
///
/// All programs of a machine share the loopback address, and all of a network may share one. So what an address may begin
/// is meant for strangers, and known agents do not depend on it:
///
/// - An address (for IPv6, a /64 network) may begin ``Limits/address`` handshakes; all addresses together, apart from those
///   at which a certificate was proved in the last hour, ``Limits/strangers``.
/// - A handshake that proves a certificate gives back what it took, up to ``Limits/certificate`` for each certificate.
/// - Where an address has none left, a hello with a ticket still begins one within ``Limits/certificate``: the ticket says
///   which certificate proved itself in the last day.
/// - Everything else ends after its hello, before it costs anything.
///
/// A value without a clock; belongs to one event loop.
struct HandshakePace {
    /// How many may begin.
    struct Limits {
        var address = Rate(perSecond: 64, burst: 128)
        var strangers = Rate(perSecond: 256, burst: 512)
        var certificate = Rate(perSecond: 32, burst: 64)
        /// Handshakes in tunnels whose TLS ends here, for each agent.
        var agent = Rate(perSecond: 64, burst: 128)
    }

    /// What a handshake was taken from.
    enum Grant: Equatable {
        /// The share of its address, and that of all strangers where the address is not known.
        case address(isKnown: Bool)
        /// The share of the certificate in its ticket.
        case pass
    }

    /// How long an address is known after a certificate was proved there.
    static let memory = TimeAmount.hours(1)
    private static let knownLimit = 4096

    private let limits: Limits
    private var addresses: RateTable<[UInt8]>
    private var strangers: Rate.Account
    private var certificates: RateTable<String>
    private var agents: RateTable<String>
    /// Until when addresses are known.
    private var known: [[UInt8]: NIODeadline] = [:]

    init(limits: Limits = Limits()) {
        self.limits = limits
        addresses = RateTable(limits.address)
        strangers = Rate.Account(limits.strangers)
        certificates = RateTable(limits.certificate)
        agents = RateTable(limits.agent)
    }

    /// Takes one for a hello that has arrived; nil when none is left.
    mutating func take(from address: [UInt8], pass: String?, at now: NIODeadline) -> Grant? {
        let isKnown = known[address].map { $0 > now } ?? false
        if isKnown || strangers.has(at: now), addresses.take(for: address, at: now) {
            if !isKnown { _ = strangers.take(at: now) }
            return .address(isKnown: isKnown)
        }
        if let pass, certificates.take(for: pass, at: now) { return .pass }
        return nil
    }

    /// A handshake has proved a certificate.
    mutating func proved(_ certificate: String, from address: [UInt8], by grant: Grant, at now: NIODeadline) {
        know(address, at: now)
        guard case .address(let wasKnown) = grant, certificates.take(for: certificate, at: now) else { return }
        addresses.giveBack(for: address)
        if !wasKnown { strangers.giveBack() }
    }

    /// Takes one for a tunnel of an agent whose TLS ends here; false when none is left.
    mutating func takeTunnel(of agent: String, at now: NIODeadline) -> Bool { agents.take(for: agent, at: now) }

    private mutating func know(_ address: [UInt8], at now: NIODeadline) {
        if known[address] == nil, known.count >= Self.knownLimit {
            known = known.filter { $0.value > now }
            if known.count >= Self.knownLimit, let oldest = known.min(by: { $0.value < $1.value })?.key {
                known[oldest] = nil
            }
        }
        known[address] = now + Self.memory
    }
}

/// So many a second, and so many at once after a pause.
struct Rate: Equatable {
    /// The time in which one more becomes free, in nanoseconds.
    let interval: Int64
    /// How far ahead of the clock takers may be, in nanoseconds.
    let tolerance: Int64

    /// `perSecond` is at least 1, `burst` too.
    init(perSecond: Int64, burst: Int64) {
        interval = 1_000_000_000 / perSecond
        tolerance = interval * (burst - 1)
    }

    /// What one taker has left: the moment at which all that it took would have been free one after the other (the generic
    /// cell rate algorithm, ITU-T I.371).
    struct Account {
        private let rate: Rate
        private var taken = NIODeadline.uptimeNanoseconds(0)

        init(_ rate: Rate) { self.rate = rate }

        /// Whether one is left.
        func has(at now: NIODeadline) -> Bool { taken - now <= .nanoseconds(rate.tolerance) }

        /// Takes one; false when none is left.
        mutating func take(at now: NIODeadline) -> Bool {
            guard has(at: now) else { return false }
            taken = max(taken, now) + .nanoseconds(rate.interval)
            return true
        }

        /// Gives one back that was taken.
        mutating func giveBack() { taken = taken - .nanoseconds(rate.interval) }

        /// Whether nothing is taken.
        func isFull(at now: NIODeadline) -> Bool { taken <= now }
    }
}

/// Accounts of one rate by taker; an account that is full again is forgotten.
struct RateTable<Taker: Hashable> {
    private let rate: Rate
    private var accounts: [Taker: Rate.Account] = [:]
    /// At how many accounts the full ones are looked for.
    private var sweepCount = 1024

    init(_ rate: Rate) { self.rate = rate }

    /// How many accounts are kept.
    var count: Int { accounts.count }

    /// Takes one; false when the taker has none left.
    mutating func take(for taker: Taker, at now: NIODeadline) -> Bool {
        if accounts.count >= sweepCount {
            accounts = accounts.filter { !$0.value.isFull(at: now) }
            sweepCount = max(1024, 2 * accounts.count)
        }
        return accounts[taker, default: Rate.Account(rate)].take(at: now)
    }

    /// Gives one back that a taker took.
    mutating func giveBack(for taker: Taker) { accounts[taker]?.giveBack() }
}
