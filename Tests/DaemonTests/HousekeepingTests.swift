import Daemon
import Ledger
import Logging
import Payments
import Policy
import Primitives
import TestSupport
import Testing

struct HousekeepingTests {
    let store = InMemoryLedger()
    let clock = FixedClock()

    private func keeper(_ policy: OverduePolicy, over other: (any LedgerStore)? = nil) throws -> Housekeeping {
        let store = other ?? store
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let engine = PaymentEngine(
            store: store, table: try AssetTable.pinned(), wallets: PayingWallets([]), clock: clock,
            random: SeededRandom(seed: 1), logger: logger)
        return Housekeeping(
            store: store, engine: engine, policy: policy, closing: nil, clock: clock, logger: logger)
    }

    /// Payments in doubt at two gateways, whose window ends 300 seconds behind the vectors' time.
    private func doubt() async throws {
        try await store.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        for (number, gateway) in [(1, "lab"), (2, "other")] as [(UInt64, String)] {
            let intent = PaymentIntent.sample(number, gateway: gateway)
            try await store.reserve(intent, at: clock.now())
            _ = try await store.book(.lostSight, of: intent.id, evidence: PaymentEvidence(), at: clock.now())
        }
    }

    private func states() async throws -> [PaymentState] {
        try await store.payments(PaymentFilter()).reversed().map(\.state)
    }

    @Test("everything is due at first, then each duty behind its pause")
    func schedule() {
        var schedule = HousekeepingSchedule()
        #expect(schedule.due(at: .vectors) == [.retryUnbooked, .noteRefusals, .closeOverdue, .closeDay])
        #expect(schedule.due(at: .vectors) == [])
        #expect(schedule.due(at: .vectors.adding(seconds: 4)) == [])
        #expect(schedule.due(at: .vectors.adding(seconds: 5)) == [.retryUnbooked, .noteRefusals])
        #expect(schedule.due(at: .vectors.adding(seconds: 29)) == [.retryUnbooked, .noteRefusals])
        #expect(schedule.due(at: .vectors.adding(seconds: 30)) == [.closeOverdue])
        #expect(schedule.due(at: .vectors.adding(seconds: 3599)) == [.retryUnbooked, .noteRefusals, .closeOverdue])
        #expect(schedule.due(at: .vectors.adding(seconds: 3600)) == [.closeDay])
    }

    @Test("a clock that was put back holds nothing up")
    func clockBack() {
        var schedule = HousekeepingSchedule()
        _ = schedule.due(at: .vectors)
        #expect(
            schedule.due(at: .vectors.adding(seconds: -86_400))
                == [.retryUnbooked, .noteRefusals, .closeOverdue, .closeDay])
        #expect(schedule.due(at: .vectors.adding(seconds: -86_395)) == [.retryUnbooked, .noteRefusals])
    }

    @Test("a day has as many looks at each duty as its pause allows, however often the schedule is asked")
    func rate() {
        var schedule = HousekeepingSchedule()
        var counts: [HousekeepingSchedule.Duty: Int] = [:]
        for second in 0..<86_400 {
            for duty in schedule.due(at: .vectors.adding(seconds: Int64(second))) { counts[duty, default: 0] += 1 }
        }
        #expect(counts == [.retryUnbooked: 17_280, .noteRefusals: 17_280, .closeOverdue: 2880, .closeDay: 24])
    }

    @Test("behind their window payments are presumed, or lapse where the gateway is set so, and not a second before")
    func overdue() async throws {
        try await doubt()
        let keeper = try keeper(OverduePolicy(lapsing: ["other"]))
        clock.advance(seconds: 360)
        await keeper.perform(.closeOverdue)
        #expect(try await states() == [.inDoubt, .inDoubt])
        clock.advance(seconds: 1)
        await keeper.perform(.closeOverdue)
        #expect(try await states() == [.presumed, .lapsed])
    }

    @Test("on a network whose chain is read nothing is presumed: the chain decides")
    func proof() async throws {
        try await doubt()
        let keeper = try keeper(OverduePolicy(lapsing: ["other"], proven: ["eip155:42161"]))
        clock.advance(seconds: 86_400)
        await keeper.perform(.closeOverdue)
        #expect(try await states() == [.inDoubt, .inDoubt])
        let end = Timestamp.vectors.seconds + 300
        await keeper.reconcile("eip155:42161", through: FixedWitness(time: end - 1, used: [false, false]))
        #expect(try await states() == [.inDoubt, .inDoubt])
        await keeper.reconcile("eip155:42161", through: FixedWitness(time: end - 1, used: [true, nil]))
        #expect(try await states() == [.confirmed, .inDoubt])
        await keeper.reconcile("eip155:42161", through: FixedWitness(time: end, used: [false]))
        #expect(try await states() == [.confirmed, .released])
    }

    @Test("a chain that cannot be read leaves everything as it is")
    func unreadable() async throws {
        try await doubt()
        let keeper = try keeper(OverduePolicy(proven: ["eip155:42161"]))
        await keeper.reconcile("eip155:42161", through: FixedWitness(time: 0, used: []))
        #expect(try await states() == [.inDoubt, .inDoubt])
    }

    @Test("damaged rows that were passed over are told once an hour each")
    func damage() async throws {
        try await doubt()
        var watched = WatchedStore(store)
        watched.damage = [.damaged("row 7"), .damaged("row 8")]
        let keeper = try keeper(OverduePolicy(), over: watched)
        clock.advance(seconds: 361)
        for _ in 0..<3 { await keeper.perform(.closeOverdue) }
        #expect(try await states() == [.presumed, .presumed])
        clock.advance(seconds: 3600)
        await keeper.perform(.closeOverdue)
        let told = try await store.read { (books) throws(LedgerError) in
            try books.newestEntries(of: .notice, limit: 10).map(\.line).filter { $0.cause == "row-damaged" }
                .map(\.subject)
        }
        #expect(told.count == 4)
        #expect(Set(told) == ["the ledger is damaged: row 7", "the ledger is damaged: row 8"])
    }

    @Test("a start puts in doubt what the last run left open, and closes what is overdue by then")
    func start() async throws {
        try await store.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        try await store.reserve(.sample(1), at: clock.now())
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await Housekeeping.bringUpToDate(store, policy: OverduePolicy(), at: clock.now(), logger: logger)
        #expect(try await states() == [.inDoubt])
        clock.advance(seconds: 361)
        try await Housekeeping.bringUpToDate(store, policy: OverduePolicy(), at: clock.now(), logger: logger)
        #expect(try await states() == [.presumed])
    }
}

/// A chain that always says the same.
private struct FixedWitness: ChainWitness {
    let time: Int64
    let used: [Bool?]

    func read(_ probes: [UnprovenAuthorization]) async throws -> ProofReading {
        ProofReading(finalBlock: 77, finalTime: time, used: used)
    }
}
