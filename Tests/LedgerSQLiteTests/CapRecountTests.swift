import GRDB
import Ledger
import Primitives
import TestSupport
import Testing

@testable import LedgerSQLite

@Suite("What a new cap counts of the past")
struct CapRecountTests {
    private let folder: TemporaryFolder
    private let ledger: SQLiteLedger

    init() throws {
        folder = try TemporaryFolder()
        ledger = try SQLiteLedger(path: folder.path("ledger.sqlite"))
    }

    private static let limits: [CapLimit] = [
        CapLimit(.lifetime, .cents(10_000)), CapLimit(.day, .cents(10_000)), CapLimit(.hour, .payments, UInt256(9999)),
        CapLimit(.rolling(minutes: 90), .cents(10_000)), CapLimit(.request, .cents(5)),
        CapLimit(.lifetime, .payments, UInt256(9999)),
    ]
    private static let caps = [CapScope(.house), CapScope(.team("red")), CapScope(.agent("scout"))].flatMap { scope in
        limits.map { Cap(scope, $0) }
    }

    private func setUp() async throws {
        try await ledger.add(
            .sample(team: "red", caps: [CapLimit(.month, .cents(10_000)), CapLimit(.month, .payments, UInt256(9999))]))
    }

    private func pay(_ number: UInt64, _ events: PaymentEvent..., second: Int64) async throws {
        try await ledger.reserve(.sample(number, team: "red", value: .cents(Int64(number))), second: second)
        for event in events { try await ledger.book(event, of: .sample(number), second: second) }
    }

    /// Settled payments of at most twenty cents, and what one of them is shown to have moved.
    private static func upto(_ number: UInt64) -> PaymentIntent {
        .sample(number, team: "red", value: .cents(20), scheme: "upto", policy: .numbered(7))
    }

    private func show(_ number: UInt64, second: Int64) async throws {
        _ = try await ledger.show(
            UInt256(50_000), of: Self.upto(number).id, evidence: PaymentEvidence(),
            at: .vectors.adding(seconds: second))
    }

    private func call(second: Int64) async throws {
        _ = try await ledger.meter(
            MeteredCall(agent: "scout", team: "red", gateway: "lab", host: "h"), at: .vectors.adding(seconds: second))
    }

    @Test("what was counted before and the steps since add up to the whole", arguments: [100, 4000, 90_000] as [Int64])
    func catchingUp(second: Int64) async throws {
        try await setUp()
        try await pay(1, .settled, second: 0)
        try await pay(2, second: 1)
        try await pay(3, .lostSight, second: 2)
        try await pay(4, .lostSight, .lapsed, second: 3)
        try await pay(5, .neverSent, second: 4)
        try await pay(6, .lostSight, .windowPassed, second: 5)
        try await call(second: 6)
        for number: UInt64 in 20...22 {
            try await ledger.reserve(Self.upto(number), second: 6)
            if number < 22 { try await ledger.book(.settled, of: Self.upto(number), second: 6) }
        }
        try await show(20, second: 6)
        let past = try await ledger.past(of: Self.caps, at: .vectors.adding(seconds: 6))
        #expect(past.count == Self.caps.count)
        // Everything that the past knew goes on, and something is new.
        try await ledger.book(.settled, of: .sample(2), second: second)
        try await ledger.book(.adopted, of: .sample(3), second: second)
        try await ledger.book(.settled, of: .sample(4), second: second)
        try await ledger.book(.provenUnused, of: .sample(6), second: second)
        try await show(21, second: second)
        try await ledger.book(.settled, of: Self.upto(22), second: second)
        try await show(22, second: second)
        try await pay(7, second: second)
        try await pay(8, .rejected, second: second)
        try await pay(9, .neverSent, second: second)
        try await ledger.record(
            RefusedPayment(
                id: PaymentIntent.sample(10).id, purpose: PaymentIntent.sample(10).purpose, code: "x", terms: nil,
                salt: .numbered(1)), at: .vectors.adding(seconds: second))
        try await call(second: second)
        let now = Timestamp.vectors.adding(seconds: second)
        for past in past {
            let window = past.cap.limit.window
            let (caughtUp, whole) = try await ledger.query { (database) throws(Fault) in
                (
                    try CapRows.caughtUp(past, at: now, in: database),
                    try CapRows.recount(past.cap, at: now, in: database)
                )
            }
            #expect(caughtUp.used(in: window, at: now) == whole.used(in: window, at: now), "\(past.cap)")
            #expect(caughtUp.open == whole.open, "\(past.cap)")
        }
    }

    @Test("payments that run while caps are set are counted once each")
    func running() async throws {
        try await setUp()
        let ledger = ledger
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number: UInt64 in 1...300 {
                group.addTask {
                    try await ledger.reserve(.sample(number, team: "red"))
                    let event: PaymentEvent = number % 3 == 0 ? .neverSent : number % 3 == 1 ? .settled : .lostSight
                    try await ledger.book(event, of: .sample(number))
                }
            }
            for cap in Self.caps {
                group.addTask { try await ledger.setCap(cap, by: "tester", at: .vectors) }
            }
            try await group.waitForAll()
        }
        let wrong = try await ledger.read { (books) throws(LedgerError) in
            var wrong: [Cap] = []
            for cap in try books.rules().allCaps {
                let kept = try books.counter(of: cap.key)?.used(in: cap.limit.window, at: .vectors)
                let whole = try books.recounted(cap, at: .vectors).used(in: cap.limit.window, at: .vectors)
                if kept != whole { wrong.append(cap) }
            }
            return wrong
        }
        #expect(wrong.isEmpty)
        #expect(try await ledger.used(.lifetime) == .cents(200))
    }
}
