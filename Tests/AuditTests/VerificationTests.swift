import Audit
import Ethereum
import Ledger
import Policy
import Primitives
import TestSupport
import Testing

/// The rows of the workload that tests doctor.
struct Targets: Sendable {
    /// A settled payment with its evidence, and its two entries.
    var payment: PaymentRecord
    /// A payment of which less was settled than was signed.
    var shown: PaymentRecord
    var first: Int64
    var step: Int64
    var call: Int64
    var adjustment: Int64
    var checkpoint: Int64
    /// The entry that the checkpoint closes a day with.
    var closing: Int64
    var agent: Int64
    var cap: Int64
    /// How many calls there are.
    var calls: Int64
    var last: Int64

    init(_ workload: Workload) async throws {
        self = try await workload.read { (snapshot) throws(LedgerError) in
            let entries = try snapshot.entries(from: 1, limit: .max)
            func number(_ kind: JournalLine.Kind) -> Int64 { entries.last { $0.line.kind == kind }?.number ?? 0 }
            let records = try snapshot.payments(from: 1, limit: .max).map(\.record)
            guard
                let payment = records.last(where: {
                    $0.state == .settled && $0.terms?.symbol == "USDT" && $0.salt != nil && $0.terms?.scheme == "exact"
                }), let shown = records.last(where: { $0.moved.map { $0 > UInt256(1) } ?? false }),
                let first = entries.first(where: { $0.line.subject == payment.id.description }),
                let step = entries.last(where: { $0.line.subject == payment.id.description }),
                let checkpoint = entries.last(where: { $0.line.kind == .checkpoint })
            else { throw .damaged("the workload lacks a row") }
            return Targets(
                payment: payment, shown: shown, first: first.number, step: step.number, call: number(.metered),
                adjustment: number(.adjustment), checkpoint: checkpoint.number,
                closing: Checkpoint(checkpoint.line)?.statement.entries ?? 0, agent: number(.agent), cap: number(.cap),
                calls: Int64(entries.count { $0.line.kind == .metered }),
                last: entries.last?.number ?? 0)
        }
    }

    private init(
        payment: PaymentRecord, shown: PaymentRecord, first: Int64, step: Int64, call: Int64, adjustment: Int64,
        checkpoint: Int64,
        closing: Int64, agent: Int64, cap: Int64, calls: Int64, last: Int64
    ) {
        self.payment = payment
        self.shown = shown
        self.first = first
        self.step = step
        self.call = call
        self.adjustment = adjustment
        self.checkpoint = checkpoint
        self.closing = closing
        self.agent = agent
        self.cap = cap
        self.calls = calls
        self.last = last
    }

    var name: String { "payment \(payment.id)" }
}

@Suite("Verification")
struct VerificationTests {
    @Test("books that nobody touched are sound, and every check looked at something")
    func sound() async throws {
        let workload = try await Workload.seeded()
        let report = try await workload.verify(wallets: [workload.wallet])
        #expect(report.checks.compactMap(\.failure) == [])
        #expect(report.isSound)
        #expect(report.checks.map(\.name) == VerificationReport.Check.Name.allCases)
        for check in report.checks { #expect(check.examined > 0, "\(check.name)") }
        let targets = try await Targets(workload)
        #expect(report[.chain].examined == targets.last)
    }

    @Test("erased payments verify; what cannot be is skipped and never counted as good")
    func erased() async throws {
        let workload = try await Workload.seeded()
        let report = try await workload.verify()
        let erased = try await workload.read { (snapshot) throws(LedgerError) in
            Int64(try snapshot.payments(from: 1, limit: .max).filter { $0.record.salt == nil }.count)
        }
        #expect(erased > 5)
        #expect(report[.requests].skipped == erased)
        #expect(report[.evidence].skipped > 0)
        #expect(report[.signatures].skipped > 0)
        let signed = try await workload.read { (snapshot) throws(LedgerError) in
            Int64(try snapshot.payments(from: 1, limit: .max).filter { $0.record.evidence.signature != nil }.count)
        }
        #expect(report[.signatures].examined + report[.signatures].skipped == signed)
    }

    @Test("empty books are sound")
    func empty() async throws {
        let report = try await Workload().verify()
        #expect(report.isSound)
        #expect(report.coverage.lastDay == nil)
        #expect(report.coverage.uncoveredEntries == 0)
    }

    @Test(
        "entries about sign-ins, approvals, policies and wallets are verified and exported, and what says nothing is found"
    )
    func signatures() async throws {
        let workload = try Workload()
        let ledger = workload.ledger
        try await ledger.add(.sample(caps: [CapLimit(.day, .cents(500))]))
        let sample = PaymentIntent.sample(1)
        let note = ApprovalNote(
            wallet: "main", owner: sample.terms.payer, asset: "eip155:56/0x55", spender: sample.terms.payTo,
            amount: .max, form: .transaction, nonce: UInt256(7))
        _ = try await ledger.admit(
            SignInIntent(
                purpose: sample.purpose, terms: sample.terms, origin: "https://x", digest: .numbered(1), limit: 1),
            at: .vectors)
        _ = try await ledger.admit(note, by: "ann", at: .vectors)
        try await ledger.sent(note, as: .numbered(2), by: "ann", at: .vectors)
        _ = try await ledger.reserve(ReservationRequest(sample, approval: note), at: .vectors)
        _ = try await ledger.putInForce(.numbered(3), allowsNone: false, by: "ann", at: .vectors)
        _ = try await ledger.open(
            WalletAccount(wallet: "spare", address: sample.terms.payTo), accepting: [], by: "ann", at: .vectors)
        let freeze = Freeze(scope: .wallet("main"), since: .vectors, actor: "ann", reason: nil)
        _ = try await ledger.freeze(freeze)
        _ = try await ledger.admit(note, by: "ann", at: .vectors)
        #expect(try await workload.verify().isSound)

        let entries = try await workload.export(.entries)
        for kind in ["sign-in", "approval", "policy", "wallet"] { #expect(entries.contains(#""kind":"\#(kind)""#)) }
        for kind in [JournalLine.Kind.policy, .wallet] {
            let report = try await workload.verify(
                doctored: Doctoring(entry: { entry in
                    guard entry.line.kind == kind else { return entry }
                    let line = JournalLine(kind, subject: "x", cause: entry.line.cause)
                    return JournalEntry(number: entry.number, at: entry.at, line: line, hash: entry.hash)
                }))
            #expect(report[.rules].failure != nil && report[.chain].failure != nil)
        }
    }

    @Test("how far checkpoints reach is told")
    func coverage() async throws {
        let workload = try await Workload.seeded()
        let targets = try await Targets(workload)
        let report = try await workload.verify()
        #expect(report.coverage.lastEntry == targets.closing)
        #expect(report.coverage.lastDay == "2026-11-23")
        #expect(report.coverage.uncoveredEntries == targets.last - targets.closing)
        #expect(report.coverage.openDays == 1)
        let later = try await workload.verify(at: Workload.end.adding(seconds: -86_400))
        #expect(later.coverage.openDays == 0)
    }

    @Test("a signer that is no known wallet is told")
    func unknownSigner() async throws {
        let workload = try await Workload.seeded()
        let report = try await workload.verify(wallets: [.zero])
        #expect(report[.checkpoints].failure?.sentence.contains("no known wallet") == true)
        #expect(report.checks.filter { $0.failure != nil }.count == 1)
    }

    @Test("a token that is not pinned any more makes its signatures unchecked")
    func unpinned() async throws {
        let workload = try await Workload.seeded()
        let verification = Verification(
            assets: try AssetTable(json: Array(#"{"networks":[],"assets":[]}"#.utf8)), curve: workload.curve)
        let report = try await workload.read { (snapshot) throws(LedgerError) in
            try verification.report(on: snapshot, at: Workload.end)
        }
        #expect(report[.signatures].examined == 0)
        #expect(report[.signatures].skipped > 50)
    }
}
