import Audit
import Ledger
import Policy
import Primitives
import TestSupport
import Testing

@Suite("Reports")
struct ReportTests {
    private static func report(_ dimension: SpendReport.Dimension, of period: Period = .all) async throws -> SpendReport
    {
        try await Workload.seeded().read { (snapshot) throws(LedgerError) in
            try SpendReport(by: dimension, of: period, in: snapshot)
        }
    }

    @Test("refusals that were counted before midnight and entered after it are in the report and the row of one day")
    func countedAtMidnight() async throws {
        let books = InMemoryLedger()
        try await books.add(.sample(caps: [CapLimit(.day, .cents(1))]))
        let midnight = try #require(Timestamp(rfc3339: "2026-11-23T00:00:00Z"))
        for number: UInt64 in 0..<9 {
            _ = try await books.reserve(
                ReservationRequest(.sample(number, value: .cents(5))), at: midnight.adding(seconds: -1))
        }
        try await books.noteRefusals(all: false, at: midnight.adding(seconds: 2))
        func days(_ from: String, _ to: String) async throws -> [String?: Int64] {
            let period = try #require(Period(from: from, to: to))
            let report = try await books.read { (snapshot) throws(LedgerError) in
                try SpendReport(by: .day, of: period, in: snapshot)
            }
            return Dictionary(uniqueKeysWithValues: report.rows.map { ($0.key.value, $0.refused) })
        }
        #expect(try await days("2026-11-22", "2026-11-23") == ["2026-11-22": 5])
        #expect(try await days("2026-11-23", "2026-11-24") == ["2026-11-23": 4])
    }

    @Test("reports by agent, totals and balances are the same money")
    func sums() async throws {
        let workload = try await Workload.seeded()
        let report = try await Self.report(.agent)
        let (totals, balances) = try await workload.read { (snapshot) throws(LedgerError) in
            (try Totals(snapshot), try snapshot.balances())
        }
        #expect(report.rows.compactMap(\.key.value) == Workload.agents.sorted())
        #expect(totals.rows.count == 6)
        for row in totals.rows {
            let line = try #require(report.rows.first { $0.key == .known(row.agent) })
            let sums = try #require(line.sumsInOrder.first { $0.token.asset == row.asset }?.sums)
            #expect(sums.spent.units == row.settled)
            #expect(sums.presumed.units == row.presumed)
            #expect(sums.exposed.units == row.exposed)
            #expect(sums.released.units == row.released)
            let exposed = balances.first { $0.account == .exposed(agent: row.agent) && $0.asset == row.asset }
            #expect(exposed?.debits.subtracting(exposed?.credits ?? .zero) == row.exposed)
        }
        #expect(!report.total.sums.values.contains { $0.released.units.isZero || $0.exposed.units.isZero })
    }

    @Test("every dimension has the same total", arguments: SpendReport.Dimension.allCases)
    func dimensions(_ dimension: SpendReport.Dimension) async throws {
        let report = try await Self.report(dimension)
        let other = try await Self.report(.agent)
        #expect(report.total == other.total)
        #expect(report.rows.map(\.count).reduce(0, +) == report.total.count)
        #expect(report.rows.count > 1 || dimension == .model)
    }

    @Test("counts are those of the payments")
    func counts() async throws {
        let workload = try await Workload.seeded()
        let records = try await workload.read { (snapshot) throws(LedgerError) in
            try snapshot.payments(from: 1, limit: .max).map(\.record)
        }
        let total = try await Self.report(.day).total
        #expect(total.refused == Int64(records.filter { $0.state == .refused }.count))
        #expect(total.count + total.refused == Int64(records.count))
        #expect(total.failures == Int64(records.filter(\.isFailure).count))
        #expect(total.refused > 0 && total.failures > 0)
    }

    @Test("days are in order, and a period has its days alone")
    func days() async throws {
        let all = try await Self.report(.day)
        #expect(all.rows.compactMap(\.key.value) == ["2026-11-22", "2026-11-23", "2026-11-24"])
        let middle = try await Self.report(.day, of: try #require(Period(from: "2026-11-23", to: "2026-11-24")))
        #expect(middle.rows == all.rows.filter { $0.key == .known("2026-11-23") })
    }

    @Test("erased payments have no model and come last")
    func erased() async throws {
        let report = try await Self.report(.model)
        #expect(report.rows.map(\.key) == [.known("light"), .absent])
    }

    @Test(
        "a payment failed when the agent got no good answer for it",
        arguments: [
            (.refused, nil, false), (.reserved, nil, false), (.resumed, nil, false), (.settled, 200, false),
            (.settled, nil, false), (.rejected, 402, true), (.inDoubt, nil, true), (.voided, nil, true),
            (.presumed, 200, false), (.presumed, 504, true), (.presumed, nil, true), (.confirmed, 500, true),
            (.confirmed, 204, false), (.released, 402, true), (.released, 200, false), (.lapsed, nil, true),
        ] as [(PaymentState, Int?, Bool)])
    func failures(state: PaymentState, status: Int?, isFailure: Bool) {
        let record = PaymentRecord(reserving: .sample(1), at: .vectors)
            .after(state, at: .vectors, evidence: PaymentEvidence(status: status))
        #expect(record.isFailure == isFailure)
    }

    @Test("rates and dollars are exact text")
    func text() async throws {
        let ledger = InMemoryLedger()
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(10_000))]))
        for number in 1...8 {
            let intent = PaymentIntent.sample(UInt64(number), value: Dollars(nanodollars: 300_001) ?? .zero)
            try await ledger.reserve(intent, at: .vectors)
            let event: PaymentEvent = number == 1 ? .neverSent : .settled
            _ = try await ledger.book(event, of: intent.id, evidence: PaymentEvidence(), at: .vectors)
        }
        let total = try await ledger.read { (snapshot) throws(LedgerError) in
            try SpendReport(by: .payee, in: snapshot).total
        }
        #expect(total.failureRate == "12.5%")
        #expect(total.sumsInOrder.first?.sums.spent.dollars == "0.002100007")
        #expect(total.spentNanodollars == UInt256(2_100_007))
    }
}
