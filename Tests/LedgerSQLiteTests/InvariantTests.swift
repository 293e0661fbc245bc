import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

/// A small world around the books: agents that repeat themselves, sellers that lie, a chain that settles what was sent.
///
/// The books see only what a daemon sees; the world knows what is true.
@Suite("Promises hold after every step")
struct InvariantTests {
    @Test(
        "P1, P3, P4 and P7 hold over random interleavings with crashes", arguments: 1...16 as ClosedRange<UInt64>)
    func walk(seed: UInt64) async throws {
        var world = try await World(seed: seed)
        for step in 0..<200 {
            try await world.step()
            if let broken = try await world.broken() {
                Issue.record("seed \(seed), step \(step): \(broken)")
                return
            }
        }
        try await world.checkJournal("seed \(seed)")
    }
}

private struct World {
    /// What is true of one authorization.
    struct Truth {
        let fingerprint: UInt64
        let validBefore: Int64
        let value: Dollars
        /// The header reached a socket.
        var isSent = false
        /// The chain has taken the money.
        var isSettled = false
        /// An agent is connected and waits.
        var isAttended = true
    }

    private static let limit = Dollars.cents(40)
    private static let network = "eip155:42161"
    private let random: SeededRandom
    private let folder: TemporaryFolder
    private let hasChain: Bool
    private var ledger: SQLiteLedger
    private var now = Timestamp.vectors
    private var next: UInt64 = 1
    private var truths: [PaymentID: Truth] = [:]
    private var frozen = false

    init(seed: UInt64) async throws {
        random = SeededRandom(seed: seed)
        folder = try TemporaryFolder()
        hasChain = seed.isMultiple(of: 2)
        ledger = try SQLiteLedger(path: folder.path("ledger.sqlite"))
        try await ledger.add(.sample(team: "red", caps: [CapLimit(.day, .cents(30)), CapLimit(.lifetime, .cents(60))]))
        try await ledger.setCap(
            Cap(CapScope(.house), CapLimit(.lifetime, Self.limit)), by: "tester", at: now)
    }

    private func below(_ bound: UInt64) -> UInt64 { random.word() % bound }

    private func pick(_ isMeant: (Truth) -> Bool) -> PaymentID? {
        let ids = truths.filter { isMeant($0.value) }.map(\.key).sorted { $0.description < $1.description }
        return ids.isEmpty ? nil : ids[Int(below(UInt64(ids.count)))]
    }

    mutating func step() async throws {
        now = now.adding(seconds: [0, 1, 5, 60, 120][Int(below(5))])
        switch below(16) {
        case 0..<5: try await ask()
        case 5: settleOnChain()
        case 6..<10: try await answer()
        case 10: try await leave()
        case 11: try await crash()
        case 12: try await keepHouse()
        case 13: try await reconcile()
        case 14: try await toggleFreeze()
        default: try await changeCap()
        }
    }

    /// An agent asks for one of three things, maybe while it still waits for the same.
    private mutating func ask() async throws {
        let fingerprint = below(3)
        let number = next
        next += 1
        let window = now.seconds - Timestamp.vectors.seconds + 100
        let intent = PaymentIntent.sample(
            number, team: "red", value: .cents(Int64(1 + below(3))), fingerprint: fingerprint, validFor: window)
        let request = ReservationRequest(intent, rules: ReservationRules(stopAfterRejections: 0))
        let unresolved = truths.values.contains {
            $0.fingerprint == fingerprint && !$0.isAttended && $0.isSent && $0.validBefore > now.seconds
        }
        switch try await ledger.reserve(request, at: now) {
        case .reserved(let reservation):
            #expect(!frozen, "P9: reserved under a freeze")
            if unresolved {
                let open = try await ledger.payments(PaymentFilter(states: [.rejected, .inDoubt]))
                let same = open.filter { $0.purpose.request?.fingerprint == .numbered(fingerprint) }
                #expect(same.isEmpty, "P3: a second authorization beside an unresolved one")
            }
            truths[reservation.record.id] = Truth(
                fingerprint: fingerprint, validBefore: Timestamp.vectors.seconds + window,
                value: intent.terms.value, isSent: below(6) > 0)
            if truths[reservation.record.id]?.isSent == false, below(2) == 0 {
                _ = try await ledger.book(
                    .neverSent, of: reservation.record.id, evidence: PaymentEvidence(), at: now)
                truths[reservation.record.id]?.isAttended = false
            }
        case .adopted(let reservation):
            #expect(!frozen, "P9: adopted under a freeze")
            #expect(truths[reservation.record.id]?.isAttended == false, "adopted while its agent waits")
            truths[reservation.record.id]?.isAttended = true
            truths[reservation.record.id]?.isSent = true
        case .refused, .counted: break
        }
    }

    /// The chain takes a sent authorization inside its window, whatever the seller said.
    private mutating func settleOnChain() {
        if let id = pick({ $0.isSent && !$0.isSettled && now.seconds < $0.validBefore }) {
            truths[id]?.isSettled = true
        }
    }

    /// A seller answers; only when it says that it settled must that be true.
    private mutating func answer() async throws {
        guard let id = pick({ $0.isSent && $0.isAttended }), let truth = truths[id] else { return }
        var events: [PaymentEvent] = [.servedUnproven, .rejected, .lostSight, .alreadyUsed]
        if truth.isSettled { events.append(.settled) }
        _ = try await ledger.book(
            events[Int(below(UInt64(events.count)))], of: id,
            evidence: PaymentEvidence(status: 200, reason: "whatever"), at: now)
        truths[id]?.isAttended = false
    }

    private mutating func leave() async throws {
        guard let id = pick({ $0.isSent && $0.isAttended }) else { return }
        _ = try await ledger.book(.lostSight, of: id, evidence: PaymentEvidence(), at: now)
        truths[id]?.isAttended = false
    }

    /// The process dies and another one starts; nobody is connected any more.
    private mutating func crash() async throws {
        if below(2) == 0 { try ledger.close() }
        ledger = try SQLiteLedger(path: folder.path("ledger.sqlite"))
        _ = try await ledger.doubtAttended(at: now)
        for id in truths.keys { truths[id]?.isAttended = false }
    }

    private func keepHouse() async throws {
        _ = try await ledger.closeOverdue(OverduePolicy(proven: hasChain ? [Self.network] : []), at: now)
    }

    /// A chain reader whose final block is somewhat behind.
    private func reconcile() async throws {
        guard hasChain else { return }
        let block = now.seconds - Int64(below(90))
        for record in try await ledger.unproven(network: Self.network, limit: 100).value {
            guard let truth = truths[record.id], let end = record.liveUntil else { continue }
            // What the chain took, it took before the block or behind it; the reader sees the former alone.
            if truth.isSettled {
                guard below(2) == 0 || block >= end else { continue }
                _ = try await ledger.book(.provenUsed, of: record.id, evidence: PaymentEvidence(), at: now)
            } else if block >= end {
                _ = try await ledger.book(.provenUnused, of: record.id, evidence: PaymentEvidence(), at: now)
            }
        }
    }

    private mutating func toggleFreeze() async throws {
        if frozen {
            frozen = !(try await ledger.unfreeze(.everything, by: "tester", at: now))
        } else if below(3) == 0 {
            frozen = try await ledger.freeze(
                Freeze(scope: .everything, since: now, actor: "tester", reason: nil))
        }
    }

    private func changeCap() async throws {
        let limit = CapLimit(.day, .cents(Int64(10 + below(40))))
        try await ledger.setCap(Cap(agent: "scout", limit), by: "tester", at: now)
    }

    /// The first promise that does not hold; nil when all do.
    func broken() async throws -> String? {
        let settled = truths.values.filter(\.isSettled).reduce(Dollars.zero) { $0.adding($1.value) ?? .max }
        let house = try await ledger.usage(at: now).first { $0.cap.scope == CapScope(.house) }
        guard let used = house.flatMap({ Dollars(quantity: $0.used) }) else { return "the house has no cap" }
        if settled > used { return "P4: \(settled) moved and \(used) is counted" }
        if used > Self.limit { return "P1: \(used) is counted over a cap of \(Self.limit)" }
        let records = try await ledger.payments(PaymentFilter(limit: 10_000))
        let states = Dictionary(uniqueKeysWithValues: records.map { ($0.id, $0.state) })
        for (id, truth) in truths {
            guard let state = states[id] else { return "P2: \(id) was set aside and is not booked" }
            if truth.isSettled, !state.isCounted { return "P4: \(id) moved and is \(state)" }
            if truth.isSent, state == .voided { return "P4: \(id) was sent and is voided" }
        }
        return nil
    }

    /// The books add up, and the kept balances and counters are those of the entries.
    func checkJournal(_ place: String) async throws {
        let now = now
        try await ledger.read { (books) throws(LedgerError) in
            var previous = JournalEntry.origin
            var sums: [String: (debits: UInt256, credits: UInt256)] = [:]
            try books.forEachEntry { (entry) throws(LedgerError) in
                let hash = JournalEntry.hash(of: entry.line, number: entry.number, at: entry.at, behind: previous)
                #expect(entry.hash == hash, "\(place): entry \(entry.number)")
                previous = entry.hash
                guard let transfer = entry.line.transfer else { return }
                sums[transfer.debit.description, default: (.zero, .zero)].debits =
                    (sums[transfer.debit.description]?.debits ?? .zero).saturatingSum(transfer.amount)
                sums[transfer.credit.description, default: (.zero, .zero)].credits =
                    (sums[transfer.credit.description]?.credits ?? .zero).saturatingSum(transfer.amount)
            }
            for balance in try books.balances() {
                let sum = sums[balance.account.description] ?? (.zero, .zero)
                #expect(balance.debits == sum.debits && balance.credits == sum.credits, "\(place): \(balance.account)")
            }
            for cap in try books.rules().allCaps {
                let kept = try books.counter(of: cap.key)?.used(in: cap.limit.window, at: now)
                let counted = try books.recounted(cap, at: now).used(in: cap.limit.window, at: now)
                #expect(kept == counted, "\(place): \(cap.scope) \(cap.limit.window)")
            }
        }
    }
}
