import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Random workloads")
struct RandomWorkloadTests {
    @Test("the file agrees with the model after every step", arguments: 1...8 as ClosedRange<UInt64>)
    func agreement(seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        var ledger = try SQLiteLedger(path: path)
        let model = InMemoryLedger()
        var workload = Workload(seed: seed)
        for step in 0..<400 {
            let action = workload.next()
            let (actual, expected) = (await action.perform(on: ledger), await action.perform(on: model))
            try #require(actual == expected, "seed \(seed), step \(step): \(action)")
            if step % 25 == 24 {
                try await compare(ledger, model, at: workload.now, "seed \(seed), step \(step)")
            }
            if step % 100 == 99 {
                try ledger.close()
                ledger = try SQLiteLedger(path: path)
            }
        }
    }

    private func compare(
        _ ledger: SQLiteLedger, _ model: InMemoryLedger, at now: Timestamp, _ place: Comment
    ) async throws {
        let everything = PaymentFilter(limit: 1000)
        let payments = try await model.payments(everything)
        try #require(try await ledger.payments(everything) == payments, place)
        for payment in payments {
            try #require(
                try await ledger.history(of: payment.id) == model.history(of: payment.id), place)
        }
        try #require(try await ledger.usage(at: now) == model.usage(at: now), place)
        let (rules, expected) = (try await ledger.rulebook(), try await model.rulebook())
        try #require(rules.agents == expected.agents && rules.allCaps == expected.allCaps, place)
        try #require(rules.freezes == expected.freezes && rules.generation == expected.generation, place)
        let network = "eip155:42161"
        try #require(
            try await ledger.unproven(network: network, limit: 50) == model.unproven(network: network, limit: 50),
            place)
        try #require(
            try await ledger.unshown(network: network, limit: 50) == model.unshown(network: network, limit: 50), place)
        try #require(try await ledger.dueCheckpoint(at: now) == model.dueCheckpoint(at: now), place)
        let books = try await ledger.read(Books.init)
        try #require(try await books == model.read(Books.init), place)
        // What is kept of rejections is also what the payments themselves say.
        for (gateway, rejections) in books.rejections {
            for (agent, own) in rejections.agents {
                let exposed = payments.filter {
                    $0.state == .rejected && $0.purpose.gateway == gateway && $0.purpose.agent == agent
                }.reduce(Dollars.zero) { $0.adding($1.terms?.value ?? .zero) ?? .max }
                try #require(own.exposed == exposed, place)
                try #require(own.routes.count <= AgentRejections.maximumRoutes, place)
            }
        }
    }
}

/// Everything that accountants read.
private struct Books: Equatable {
    let entries: [JournalEntry]
    let evidence: [Int64: PaymentEvidence]
    let payments: [NumberedPayment]
    let balances: [AccountBalance]
    let rejections: [String: GatewayRejections]

    @Sendable init(_ snapshot: any LedgerSnapshot) throws(LedgerError) {
        entries = try snapshot.entries(from: 1, limit: 10_000)
        evidence = try snapshot.evidence(ofEntries: 1...10_000)
        payments = try snapshot.payments(from: 1, limit: 10_000)
        balances = try snapshot.balances()
        rejections = try snapshot.rejections()
    }
}

/// One call of a store, and what it gave as text that can be compared.
private enum Action {
    case reserve(ReservationRequest, Timestamp)
    case book(PaymentEvent, PaymentID, PaymentEvidence, Delivery.Fate?, Timestamp)
    case show(UInt256, PaymentID, PaymentEvidence, Timestamp)
    case refuse(RefusedPayment, Timestamp)
    case meter(MeteredCall, Timestamp)
    case doubt(Timestamp)
    case close(OverduePolicy, Timestamp)
    case add(SampleAgent)
    case remove(String, Timestamp)
    case token(String, Bytes32, Timestamp)
    case team(String?, String, Timestamp)
    case cap(Cap, Timestamp)
    case uncap(Cap.Key, Timestamp)
    case freeze(Freeze)
    case unfreeze(FreezeScope, Timestamp)
    case adjust(Adjustment, Timestamp)
    case notice(String, Timestamp)
    case checkpoint(Timestamp)
    case note(Bool, Timestamp)
    case erase(Timestamp, Timestamp)

    func perform(on store: some LedgerStore) async -> String {
        do throws(LedgerError) {
            switch self {
            case .reserve(let request, let now): return "\(try await store.reserve(request, at: now))"
            case .book(let event, let id, let evidence, let delivery, let now):
                let record = try await store.book(
                    event, of: id, evidence: evidence, delivery: delivery, at: now, pace: .prompt)
                return "\(record)"
            case .show(let moved, let id, let evidence, let now):
                return "\(try await store.show(moved, of: id, evidence: evidence, at: now))"
            case .refuse(let refusal, let now): return "\(try await store.record(refusal, at: now))"
            case .meter(let call, let now): return "\(try await store.meter(call, at: now))"
            case .doubt(let now): return "\(try await store.doubtAttended(at: now))"
            case .close(let policy, let now): return "\(try await store.closeOverdue(policy, at: now))"
            case .add(let agent): return "\(try await store.add(agent))"
            case .remove(let name, let now): return "\(try await store.removeAgent(name, by: "ann", at: now))"
            case .token(let name, let hash, let now):
                return "\(try await store.replaceToken(of: name, hash: hash, by: "ann", at: now))"
            case .team(let team, let name, let now):
                return "\(try await store.setTeam(team, of: name, by: "ann", at: now))"
            case .cap(let cap, let now): return "\(try await store.setCap(cap, by: "ann", at: now))"
            case .uncap(let key, let now): return "\(try await store.removeCap(key, by: "ann", at: now))"
            case .freeze(let freeze): return "\(try await store.freeze(freeze))"
            case .unfreeze(let scope, let now): return "\(try await store.unfreeze(scope, by: "ann", at: now))"
            case .adjust(let adjustment, let now):
                return "\(try await store.adjust(adjustment, by: "ann", at: now))"
            case .notice(let cause, let now):
                return "\(try await store.notice(cause, about: "lab", detail: nil, at: now))"
            case .checkpoint(let now): return try await Self.close(store, at: now)
            case .note(let all, let now): return "\(try await store.noteRefusals(all: all, at: now))"
            case .erase(let bound, let now): return "\(try await store.erase(before: bound, by: "ann", at: now))"
            }
        } catch {
            return "\(error)"
        }
    }

    private static func close(_ store: some LedgerStore, at now: Timestamp) async throws(LedgerError) -> String {
        guard let statement = try await store.dueCheckpoint(at: now) else { return "nothing due" }
        let checkpoint = Checkpoint(statement: statement, signer: "0x00", signature: [1, 2, 3])
        return "\(statement) \(try await store.add(checkpoint, at: now))"
    }
}

/// An endless sequence of actions over few agents and payments, so that they meet each other.
private struct Workload {
    private let random: SeededRandom
    private(set) var now = Timestamp.vectors
    private var used: UInt64 = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
    }

    private func below(_ bound: UInt64) -> UInt64 { random.word() % bound }

    private func pick<Choices: Collection>(_ choices: Choices) -> Choices.Element {
        choices[choices.index(choices.startIndex, offsetBy: Int(below(UInt64(choices.count))))]
    }

    private func agent() -> String { pick(["ada", "bob", "cyd"]) }

    private func scope() -> CapScope {
        let facets: [CapFacet?] = [
            nil, nil, nil, .gateway("lab"), .gateway("other"), .network("eip155:42161"), .host("127.0.0.1"),
            .asset("eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"),
        ]
        return CapScope(pick([.house, .team("red"), .agent(agent()), .agent(agent())]), facet: pick(facets))
    }

    private func window() -> CapWindow { pick(CapWindow.named + [.rolling(minutes: 3), .rolling(minutes: 1000)]) }

    private func limit() -> CapLimit {
        switch below(4) {
        case 0: CapLimit(window(), .payments, UInt256(below(12)))
        case 1: CapLimit(window(), .units, UInt256(below(3_000_000)))
        default: CapLimit(window(), .cents(Int64(below(300))))
        }
    }

    mutating func next() -> Action {
        // Mostly forward, now and then over a midnight, sometimes back.
        now = now.adding(seconds: pick([0, 1, 7, 60, 60, 400, 40_000, -30, -70]))
        switch below(30) {
        case 0..<9: return .reserve(request(), now)
        case 9..<15: return .book(pick(PaymentEvent.allCases), known().id, evidence(), delivery(), now)
        case 28, 29: return .show(UInt256(below(400_000)), known().id, evidence(), now)
        case 15: return .refuse(refusal(), now)
        case 16: return below(4) == 0 ? .doubt(now) : .close(policy(), now)
        case 17: return .add(.sample(agent(), number: below(6), team: pick([nil, "red"]), caps: [limit()]))
        case 18: return below(4) == 0 ? .remove(agent(), now) : .token(agent(), .numbered(below(6)), now)
        case 19, 20: return .cap(Cap(scope(), limit()), now)
        case 21: return .uncap(Cap(scope(), limit()).key, now)
        case 22: return .meter(call(), now)
        case 23: return .team(pick([nil, "red", "blue"]), agent(), now)
        case 24: return below(3) == 0 ? .freeze(freeze()) : .unfreeze(freeze().scope, now)
        case 25: return .adjust(adjustment(), now)
        case 26:
            switch below(4) {
            case 0: return .checkpoint(now)
            case 1: return .note(below(2) == 0, now)
            default: return .notice(pick(["low", "rejecting"]), now)
            }
        default: return below(4) == 0 ? .erase(now.adding(seconds: -1000), now) : .doubt(now)
        }
    }

    private func policy() -> OverduePolicy {
        OverduePolicy(lapsing: pick([[], ["other"]]), proven: pick([[], [], ["eip155:42161"]]))
    }

    private func call() -> MeteredCall {
        MeteredCall(agent: agent(), team: pick([nil, "red"]), gateway: pick(["lab", "other"]), host: "127.0.0.1")
    }

    private func freeze() -> Freeze {
        let scopes: [FreezeScope] = [.everything, .agent(agent()), .gateway("lab")]
        return Freeze(scope: pick(scopes), since: now, actor: "ann", reason: pick([nil, "why not"]))
    }

    private func adjustment() -> Adjustment {
        Adjustment(
            kind: pick(Adjustment.Kind.allCases), wallet: "0xAA", asset: "eip155:42161/0xBB",
            amount: UInt256(below(100)), note: pick([nil, "by hand"]))
    }

    private mutating func request() -> ReservationRequest {
        ReservationRequest(
            intent(), idempotencyKey: below(4) == 0 ? .numbered(below(5)) : nil,
            rules: ReservationRules(stopAfterRejections: Int64(below(4)), repeatAfterFailure: pick([0, 60, 600])),
            buysAgain: below(8) == 0)
    }

    private func delivery() -> Delivery.Fate? { below(3) == 0 ? nil : pick(Delivery.Fate.allCases) }

    private func known() -> PaymentIntent { .sample(below(used + 2)) }

    private mutating func intent() -> PaymentIntent {
        // Some numbers come again, with or without their old nonce.
        let number = below(8) == 0 ? below(used + 1) : used + 1
        used = max(used, number)
        return .sample(
            number, agent: agent(), team: pick([nil, "red"]), gateway: pick(["lab", "lab", "other"]),
            value: .cents(Int64(below(40))), nonce: below(10) == 0 ? below(used + 1) : nil,
            payTo: pick(["0x01", "0x02"]), fingerprint: below(3) == 0 ? below(8) : nil,
            validFor: now.seconds - Timestamp.vectors.seconds + Int64(pick([0, 50, 300])),
            scheme: pick(["exact", "upto"]), policy: pick([nil, .numbered(1)]),
            path: pick(["/a", "/a", "/b", "/c", "/\(number)"]))
    }

    private mutating func refusal() -> RefusedPayment {
        let intent = intent()
        return RefusedPayment(
            id: intent.id, purpose: intent.purpose, code: "unknown-asset", terms: below(2) == 0 ? nil : intent.terms,
            salt: intent.salt)
    }

    private func evidence() -> PaymentEvidence {
        PaymentEvidence(
            status: pick([nil, 200, 402]), signature: pick([nil, random.bytes]), settlement: pick([nil, [], [1, 2]]),
            transaction: pick([nil, "", "0x12"]), reason: pick([nil, "nonce_already_used"]))
    }
}

extension SeededRandom {
    fileprivate var bytes: [UInt8] { Array(repeating: UInt8(truncatingIfNeeded: word()), count: 65) }
}
