import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("Random workloads")
struct RandomWorkloadTests {
    @Test("the file agrees with the model after every step", arguments: [1, 2, 3, 4])
    func agreement(seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ledger.sqlite")
        var ledger = try SQLiteLedger(path: path)
        let model = InMemoryLedger()
        var workload = Workload(seed: seed)
        for step in 0..<300 {
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
        let agents = try await model.agents()
        try #require(try await ledger.agents() == agents, place)
        for agent in agents {
            try #require(
                try await ledger.usage(of: agent.name, at: now) == model.usage(of: agent.name, at: now), place)
        }
        let generation = try await model.registry().generation
        try #require(try await ledger.registry().generation == generation, place)
    }
}

/// One call of a store, and what it gave as text that can be compared.
private enum Action {
    case reserve(PaymentIntent, Timestamp)
    case book(PaymentEvent, PaymentID, PaymentEvidence, Timestamp)
    case refuse(RefusedPayment, Timestamp)
    case doubt(Timestamp)
    case presume(Timestamp)
    case add(Agent)
    case remove(String)
    case token(String, Bytes32)
    case cap(Cap, String)
    case uncap(CapWindow, String)

    func perform(on store: some LedgerStore) async -> String {
        do throws(LedgerError) {
            switch self {
            case .reserve(let intent, let now): return "\(try await store.reserve(intent, at: now))"
            case .book(let event, let id, let evidence, let now):
                return "\(try await store.book(event, of: id, evidence: evidence, at: now))"
            case .refuse(let refusal, let now): return "\(try await store.record(refusal, at: now))"
            case .doubt(let now): return "\(try await store.doubtReserved(at: now))"
            case .presume(let now): return "\(try await store.presumeOverdue(margin: 60, at: now))"
            case .add(let agent): return "\(try await store.add(agent))"
            case .remove(let name): return "\(try await store.removeAgent(name))"
            case .token(let name, let hash): return "\(try await store.replaceToken(of: name, hash: hash))"
            case .cap(let cap, let name): return "\(try await store.setCap(cap, of: name))"
            case .uncap(let window, let name): return "\(try await store.removeCap(window, of: name))"
            }
        } catch {
            return "\(error)"
        }
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

    private func cap() -> Cap {
        Cap(window: pick(CapWindow.allCases), limit: .cents(Int64(below(300))))
    }

    mutating func next() -> Action {
        // Mostly forward, now and then over a midnight, sometimes back.
        now = now.adding(seconds: pick([0, 1, 7, 60, 400, 40_000, -30]))
        switch below(20) {
        case 0..<8: return .reserve(intent(), now)
        case 8..<13: return .book(pick(PaymentEvent.allCases), known().id, evidence(), now)
        case 13: return .refuse(refusal(), now)
        case 14: return below(4) == 0 ? .doubt(now) : .presume(now)
        case 15: return .add(.sample(agent(), number: below(6), caps: [cap()]))
        case 16: return below(4) == 0 ? .remove(agent()) : .token(agent(), .numbered(below(6)))
        case 17, 18: return .cap(cap(), agent())
        default: return .uncap(pick(CapWindow.allCases), agent())
        }
    }

    private func known() -> PaymentIntent { .sample(below(used + 2)) }

    private mutating func intent() -> PaymentIntent {
        // Some numbers come again, with or without their old nonce.
        let number = below(8) == 0 ? below(used + 1) : used + 1
        used = max(used, number)
        return .sample(
            number, agent: agent(), value: .cents(Int64(below(40))), nonce: below(10) == 0 ? below(used + 1) : nil)
    }

    private mutating func refusal() -> RefusedPayment {
        let intent = intent()
        return RefusedPayment(
            id: intent.id, purpose: intent.purpose, code: "unknown-asset", terms: below(2) == 0 ? nil : intent.terms)
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
