import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Every store keeps payments alike")
struct PaymentConformanceTests {
    private static let day: Int64 = 86_400

    @Test("a reservation comes back as it was stored", arguments: StoreKind.allCases)
    func roundTrip(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "request=1", "day=2")
        let intent = PaymentIntent.sample(1)
        let outcome = try await subject.store.reserve(intent)
        guard case .reserved(let reservation) = outcome else {
            Issue.record("refused: \(outcome)")
            return
        }
        let record = reservation.record
        #expect(record.id == intent.id)
        #expect(record.purpose == intent.purpose)
        #expect(record.terms == intent.terms)
        #expect(record.echo == intent.echo)
        #expect(record.state == .reserved)
        #expect(reservation.usage.map(\.left) == [Dollars.cents(100).quantity, Dollars.cents(199).quantity])
        #expect(try await subject.store.payment(intent.id) == record)
        #expect(try await subject.store.payments(PaymentFilter()) == [record])
        #expect(try await subject.store.history(of: intent.id).map(\.line.cause) == ["reserved"])
    }

    @Test(
        "a model that is known, absent or unknown is kept, hashed and erased as what it is",
        arguments: StoreKind.allCases)
    func models(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=5")
        let facts: [Fact<String>] = [.known("light"), .known("unknown"), .known("none"), .absent, .unknown]
        var hashes: Set<Bytes32?> = []
        for (number, fact) in facts.enumerated() {
            // The same payment but for its model, so that the hash tells them apart by nothing else.
            let intent = PaymentIntent.sample(UInt64(number), fingerprint: 9, model: fact)
            try await subject.store.reserve(intent)
            let record = try #require(try await subject.store.payment(intent.id))
            #expect(record.purpose.request?.model == fact)
            let first = try #require(try await subject.store.history(of: intent.id).first?.line)
            #expect(first.metadata == record.requestHash)
            #expect(first.detail == (fact == .unknown ? "model: unknown" : nil))
            var bytes = CanonicalBytes("purser-request-1")
            bytes.add(record.purpose.request?.modelText)
            hashes.insert(bytes.hash)
            _ = try await subject.store.book(.settled, of: intent.id, evidence: PaymentEvidence(), at: .vectors)
        }
        #expect(hashes.count == facts.count)
        _ = try await subject.store.erase(before: .vectors.adding(seconds: 60), by: "tester", at: .vectors)
        for payment in try await subject.store.payments(PaymentFilter()) { #expect(payment.purpose.request == nil) }
        subject.outlive()
    }

    @Test("amounts beyond 64 bits are exact", arguments: StoreKind.allCases)
    func largeAmounts(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=5")
        let amounts = [
            UInt256(1 << 63), UInt256(.max), UInt256(high: 0, low: .max), UInt256(high: 1, low: 0),
            UInt256(high: .max >> 1, low: 0), .zero,
        ]
        for (index, amount) in amounts.enumerated() {
            let intent = PaymentIntent.sample(UInt64(index), amount: amount)
            try await subject.store.reserve(intent)
            #expect(try await subject.store.payment(intent.id)?.terms?.amount == amount)
        }
    }

    @Test("evidence adds up over events", arguments: StoreKind.allCases)
    func evidence(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let intent = PaymentIntent.sample(1)
        try await subject.store.reserve(intent)
        let signature = [UInt8](repeating: 7, count: 65)
        _ = try await subject.store.book(
            .rejected, of: intent.id,
            evidence: PaymentEvidence(status: 402, signature: signature, reason: "insufficient_funds"), at: .vectors)
        let settled = try await subject.store.book(
            .settled, of: intent.id,
            evidence: PaymentEvidence(status: 200, settlement: Array(#"{"success":true}"#.utf8), transaction: "0xabc"),
            at: .vectors.adding(seconds: 3))
        #expect(settled.state == .settled)
        #expect(settled.changedAt == .vectors.adding(seconds: 3))
        #expect(
            settled.evidence
                == PaymentEvidence(
                    status: 200, signature: signature, settlement: Array(#"{"success":true}"#.utf8),
                    transaction: "0xabc", reason: "insufficient_funds"))
        #expect(try await subject.store.payment(intent.id) == settled)
        let lines = try await subject.store.history(of: intent.id)
        #expect(lines.map(\.line.state) == [.reserved, .rejected, .settled])
        #expect(lines.map(\.line.cause) == ["reserved", "rejected", "settled"])
    }

    @Test("an impossible event changes nothing", arguments: StoreKind.allCases)
    func impossible(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let intent = PaymentIntent.sample(1)
        try await subject.store.reserve(intent)
        try await subject.store.book(.neverSent, of: intent)
        await #expect(throws: LedgerError.impossible(state: .voided, event: .settled)) {
            try await subject.store.book(.settled, of: intent)
        }
        #expect(try await subject.store.history(of: intent.id).count == 2)
        await #expect(throws: LedgerError.unknownPayment(PaymentIntent.sample(2).id.description)) {
            try await subject.store.book(.settled, of: .sample(2))
        }
    }

    @Test("a known identifier or nonce is not taken again", arguments: StoreKind.allCases)
    func duplicates(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        try await subject.store.reserve(.sample(1))
        await #expect(throws: LedgerError.duplicate("payment \(PaymentIntent.sample(1).id)")) {
            try await subject.store.reserve(.sample(1, nonce: 2))
        }
        await #expect(throws: LedgerError.duplicate(LedgerError.knownNonce)) {
            try await subject.store.reserve(.sample(2, nonce: 1))
        }
        try await subject.store.reserve(.sample(3, nonce: 1, payer: "0x00000000000000000000000000000000000000AA"))
        #expect(try await subject.store.used(.day) == .cents(2))
        #expect(try await subject.store.payments(PaymentFilter()).count == 2)
    }

    @Test("a refusal is on record and counts nothing", arguments: StoreKind.allCases)
    func refusals(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "request=0.05")
        let refused = try await subject.store.reserve(.sample(1, value: .cents(6)))
        #expect(refused.refusalCode == "cap-request")
        #expect(try await subject.store.reserve(.sample(2, agent: "nobody")).refusalCode == "unknown-agent")
        let vetted = RefusedPayment(
            id: PaymentIntent.sample(3).id, purpose: PaymentIntent.sample(3).purpose, code: "unknown-asset",
            terms: nil, salt: .numbered(9))
        try await subject.store.record(vetted, at: .vectors)
        await #expect(throws: LedgerError.duplicate("payment \(vetted.id)")) {
            try await subject.store.record(vetted, at: .vectors)
        }
        let records = try await subject.store.payments(PaymentFilter())
        #expect(records.map(\.evidence.reason) == ["unknown-asset", "unknown-agent", "cap-request"])
        #expect(records.allSatisfy { $0.state == .refused && $0.echo == nil })
        #expect(records.map { $0.terms == nil } == [true, false, false])
        #expect(try await subject.store.history(of: vetted.id).map(\.line.cause) == ["unknown-asset"])
        // The nonce of a refusal was never signed, so it may be used.
        #expect(try await subject.store.reserve(.sample(4, nonce: 1)).record != nil)
    }

    @Test("an agent without a cap pays nothing", arguments: StoreKind.allCases)
    func noCap(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind)
        #expect(try await subject.store.reserve(.sample(1)).refusalCode == "no-cap")
    }

    @Test("only a voided payment gives its amount back", arguments: StoreKind.allCases)
    func givingBack(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5", "lifetime=9")
        let events: [PaymentEvent] = [
            .settled, .servedUnproven, .rejected, .lostSight, .neverSent, .windowPassed, .alreadyUsed,
        ]
        for (index, event) in events.enumerated() {
            let intent = PaymentIntent.sample(UInt64(index))
            try await subject.store.reserve(intent)
            if event == .windowPassed { try await subject.store.book(.lostSight, of: intent) }
            try await subject.store.book(event, of: intent)
        }
        #expect(try await subject.store.used(.day) == .cents(6))
        #expect(try await subject.store.used(.lifetime) == .cents(6))
    }

    @Test("what is still open counts in the next day too, what is closed does not", arguments: StoreKind.allCases)
    func nextDay(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=0.05", "lifetime=9")
        for number: UInt64 in 1...4 { try await subject.store.reserve(.sample(number)) }
        try await subject.store.book(.settled, of: .sample(1))
        try await subject.store.book(.rejected, of: .sample(2))
        #expect(try await subject.store.used(.day) == .cents(4))
        #expect(try await subject.store.used(.day, second: Self.day) == .cents(3))
        try await subject.store.reserve(.sample(5), second: Self.day)
        #expect(try await subject.store.used(.day, second: Self.day) == .cents(4))
        // Closing a payment of yesterday takes it out of today; giving it back takes it out of the lifetime as well.
        try await subject.store.book(.neverSent, of: .sample(3), second: Self.day)
        try await subject.store.book(.settled, of: .sample(4), second: Self.day)
        #expect(try await subject.store.used(.day, second: Self.day) == .cents(2))
        #expect(try await subject.store.used(.lifetime, second: Self.day) == .cents(4))
        #expect(
            try await subject.store.reserve(.sample(6, value: .cents(4)), second: Self.day).refusalCode == "cap-day")
        #expect(try await subject.store.reserve(.sample(7, value: .cents(3)), second: Self.day).record != nil)
    }

    @Test("ledger time never goes back", arguments: StoreKind.allCases)
    func monotoneTime(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=0.02")
        try await subject.store.reserve(.sample(1), second: Self.day)
        let late = try await subject.store.reserve(.sample(2), second: Self.day - 60).record
        #expect(late?.reservedAt == .vectors.adding(seconds: Self.day))
        #expect(try await subject.store.reserve(.sample(3), second: Self.day - 1).refusalCode == "cap-day")
        #expect(try await subject.store.used(.day, second: 0) == .cents(2))
    }

    @Test("nothing is set aside while the clock is more than a minute behind the books", arguments: StoreKind.allCases)
    func clockBehind(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        try await subject.store.reserve(.sample(1), second: 100)
        #expect(try await subject.store.reserve(.sample(2), second: 39).refusal == .clockBehind(seconds: 61))
        #expect(try await subject.store.reserve(.sample(3), second: 40).record != nil)
        // What came back is booked all the same.
        #expect(try await subject.store.book(.settled, of: .sample(1), second: 0).state == .settled)
        #expect(
            try await subject.store.meter(
                MeteredCall(agent: "scout", team: nil, gateway: "lab", host: "h"), at: .vectors)
                == .refused(.clockBehind(seconds: 100)))
    }

    @Test("after a restart every reserved row is in doubt", arguments: StoreKind.allCases)
    func doubt(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        for number: UInt64 in 1...3 { try await subject.store.reserve(.sample(number)) }
        try await subject.store.book(.rejected, of: .sample(2))
        #expect(try await subject.store.doubtAttended(at: .vectors).value == 2)
        #expect(try await subject.store.doubtAttended(at: .vectors).value == 0)
        let states = try await subject.store.payments(PaymentFilter()).map(\.state)
        #expect(states == [.inDoubt, .rejected, .inDoubt])
        #expect(try await subject.store.used(.day) == .cents(3))
    }

    @Test("open payments past their window are presumed, to the second", arguments: StoreKind.allCases)
    func overdue(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        for number: UInt64 in 1...3 { try await subject.store.reserve(.sample(number, validFor: 300)) }
        try await subject.store.reserve(.sample(4, validFor: 900))
        try await subject.store.book(.settled, of: .sample(1))
        try await subject.store.book(.rejected, of: .sample(2))
        for number: UInt64 in 3...4 { try await subject.store.book(.lostSight, of: .sample(number)) }
        #expect(try await subject.store.closeOverdue(OverduePolicy(), at: .vectors.adding(seconds: 360)).value == 0)
        #expect(try await subject.store.closeOverdue(OverduePolicy(), at: .vectors.adding(seconds: 361)).value == 2)
        let presumed = try await subject.store.payments(PaymentFilter(states: [.presumed]))
        #expect(presumed.map(\.id) == [PaymentIntent.sample(3).id, PaymentIntent.sample(2).id])
        #expect(try await subject.store.used(.day, second: 361) == .cents(4))
    }

    @Test("a payment whose answer is awaited is not presumed, however old it is", arguments: StoreKind.allCases)
    func awaited(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        for number: UInt64 in 1...4 { try await subject.store.reserve(.sample(number, validFor: 300)) }
        let late = Timestamp.vectors.adding(seconds: Self.day)
        #expect(try await subject.store.closeOverdue(OverduePolicy(), at: late).value == 0)
        #expect(try await subject.store.payments(PaymentFilter(states: [.reserved])).count == 4)
        let events: [PaymentEvent] = [.settled, .servedUnproven, .rejected, .neverSent]
        for (number, event) in zip((1 as UInt64)..., events) {
            try await subject.store.book(event, of: .sample(number), second: Self.day)
        }
        let states = try await subject.store.payments(PaymentFilter()).map(\.state)
        #expect(states == [.voided, .rejected, .presumed, .settled])
        #expect(try await subject.store.doubtAttended(at: late).value == 0)
        #expect(try await subject.store.closeOverdue(OverduePolicy(), at: late).value == 1)
    }

    @Test("an outcome that comes after the presumption leaves its evidence", arguments: StoreKind.allCases)
    func lateEvidence(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5", "lifetime=9")
        let events: [PaymentEvent] = [.servedUnproven, .rejected, .lostSight, .settled]
        let signature = [UInt8](repeating: 7, count: 65)
        for (number, event) in zip((1 as UInt64)..., events) {
            let start = Timestamp.vectors.adding(seconds: Int64(number) * 1000)
            let intent = PaymentIntent.sample(number, validFor: Int64(number) * 1000 + 300)
            try await subject.store.reserve(intent, at: start)
            _ = try await subject.store.book(
                .lostSight, of: intent.id, evidence: PaymentEvidence(signature: signature, reason: "time-out"),
                at: start)
            #expect(try await subject.store.closeOverdue(OverduePolicy(), at: start.adding(seconds: 361)).value == 1)
            let booked = try await subject.store.book(
                event, of: intent.id, evidence: PaymentEvidence(status: 500, reason: event.rawValue),
                at: start.adding(seconds: 400))
            #expect(booked.state == (event == .settled ? .settled : .presumed))
            #expect(
                booked.evidence == PaymentEvidence(status: 500, signature: signature, reason: event.rawValue))
            #expect(try await subject.store.payment(intent.id) == booked)
            #expect(
                try await subject.store.history(of: intent.id).map(\.line.cause)
                    == ["reserved", "lost-sight", "window-passed", event.rawValue])
        }
        #expect(try await subject.store.used(.day, second: 4400) == .cents(4))
        #expect(try await subject.store.used(.lifetime, second: 4400) == .cents(4))
        let never = PaymentIntent.sample(3)
        await #expect(throws: LedgerError.impossible(state: .presumed, event: .neverSent)) {
            try await subject.store.book(.neverSent, of: never)
        }
    }

    @Test("lists are filtered by agent and state, newest first, up to the limit", arguments: StoreKind.allCases)
    func lists(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        try await subject.store.add(.sample("other", number: 2, caps: [CapLimit(.day, .cents(500))]))
        for number: UInt64 in 1...6 {
            try await subject.store.reserve(.sample(number, agent: number.isMultiple(of: 2) ? "other" : "scout"))
        }
        try await subject.store.book(.settled, of: .sample(5))
        func numbers(_ filter: PaymentFilter) async throws -> [PaymentID] {
            try await subject.store.payments(filter).map(\.id)
        }
        func ids(_ numbers: UInt64...) -> [PaymentID] { numbers.map { PaymentIntent.sample($0).id } }
        #expect(try await numbers(PaymentFilter()) == ids(6, 5, 4, 3, 2, 1))
        #expect(try await numbers(PaymentFilter(agent: "scout")) == ids(5, 3, 1))
        #expect(try await numbers(PaymentFilter(states: [.settled])) == ids(5))
        #expect(try await numbers(PaymentFilter(agent: "scout", states: [.reserved])) == ids(3, 1))
        #expect(try await numbers(PaymentFilter(states: [.reserved, .settled], limit: 2)) == ids(6, 5))
        #expect(try await numbers(PaymentFilter(states: [.reserved, .inDoubt, .rejected])) == ids(6, 4, 3, 2, 1))
        #expect(try await numbers(PaymentFilter(states: [])) == [])
        #expect(try await numbers(PaymentFilter(limit: 0)) == ids(6))
    }

    @Test("64 callers at once against a limit get exactly the limit", arguments: StoreKind.allCases)
    func parallel(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=1.00")
        defer { subject.outlive() }
        let store = subject.store
        let granted = try await withThrowingTaskGroup(of: Int.self) { group in
            for caller in 0..<64 {
                group.addTask {
                    var granted = 0
                    for round in 0..<4 {
                        let intent = PaymentIntent.sample(UInt64(caller * 4 + round), value: .cents(10))
                        granted += try await store.reserve(intent).record == nil ? 0 : 1
                    }
                    return granted
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(granted == 10)
        #expect(try await store.used(.day) == .cents(100))
    }

    @Test("thousands of payments never make the counter forget", arguments: StoreKind.allCases)
    func longHistory(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=6.00")
        defer { subject.outlive() }
        let store = subject.store
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller: UInt64 in 0..<60 {
                group.addTask {
                    for round: UInt64 in 0..<10 {
                        let intent = PaymentIntent.sample(caller * 10 + round)
                        #expect(try await store.reserve(intent).record != nil)
                        try await store.book(.settled, of: intent)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.used(.day) == .cents(600))
        #expect(try await store.reserve(.sample(1000)).refusalCode == "cap-day")
    }
}
