import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Every store keeps its journal alike")
struct JournalConformanceTests {
    private static let day: Int64 = 86_400

    @Test("each entry is bound to the one before by its hash", arguments: StoreKind.allCases)
    func chain(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        for number: UInt64 in 1...5 { try await subject.store.reserve(.sample(number)) }
        try await subject.store.book(.settled, of: .sample(1))
        let entries = try await subject.store.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100)
        }
        #expect(entries.map(\.number) == Array(1...Int64(entries.count)))
        var previous = JournalEntry.origin
        for entry in entries {
            #expect(
                entry.hash == JournalEntry.hash(of: entry.line, number: entry.number, at: entry.at, behind: previous))
            previous = entry.hash
        }
    }

    @Test("a closed day is due for a checkpoint once", arguments: StoreKind.allCases)
    func checkpoints(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        try await store.reserve(.sample(1))
        #expect(try await store.dueCheckpoint(at: .vectors) == nil)
        let tomorrow = Timestamp.vectors.adding(seconds: Self.day)
        let due = try #require(try await store.dueCheckpoint(at: tomorrow))
        #expect(due.day == "2026-11-22")
        #expect(due.entries == 3)
        #expect(
            due.text
                == "Purser ledger checkpoint 1\nday: 2026-11-22\nentries: 3\nhash: \(due.hash)\n")
        let checkpoint = Checkpoint(statement: due, signer: "0xAB", signature: Array(repeating: 7, count: 65))
        try await store.add(checkpoint, at: tomorrow)
        #expect(try await store.dueCheckpoint(at: tomorrow) == nil)
        let kept = try await store.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100).compactMap { Checkpoint($0.line) }
        }
        #expect(kept == [checkpoint])
        // The checkpoint is an entry of its own day.
        let next = try await store.dueCheckpoint(at: tomorrow.adding(seconds: Self.day))
        #expect(next?.day == "2026-11-23")
        #expect(next?.entries == 4)
    }

    @Test("a day that went on since, or is closed already, is not closed", arguments: StoreKind.allCases)
    func overtaken(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        let tomorrow = Timestamp.vectors.adding(seconds: Self.day)
        func signed() async throws -> Checkpoint {
            let due = try #require(try await store.dueCheckpoint(at: tomorrow))
            return Checkpoint(statement: due, signer: "0xAB", signature: [7])
        }
        let early = try await signed()
        // Somebody took the time before midnight and came to the books behind it.
        try await store.reserve(.sample(1), second: Self.day - 1)
        await #expect(throws: LedgerError.unsound(Checkpoint.overtaken)) {
            try await store.add(early, at: tomorrow)
        }
        let late = try await signed()
        try await store.add(late, at: tomorrow)
        await #expect(throws: LedgerError.unsound(Checkpoint.overtaken)) { try await store.add(late, at: tomorrow) }
    }

    @Test("calls come back in order", arguments: StoreKind.allCases)
    func calls(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=9payments")
        let calls = ["a", "b", "c"].map { MeteredCall(agent: "scout", team: nil, gateway: $0, host: "h") }
        for call in calls { _ = try await subject.store.meter(call, at: .vectors) }
        let read = try await subject.store.read { (books) throws(LedgerError) in
            [try books.calls(from: .min, limit: 9), try books.calls(from: 2, limit: 1)]
        }
        #expect(read[0].map(\.call) == calls && read[0].map(\.number) == [1, 2, 3])
        #expect(read[1].map(\.call) == [calls[1]])
    }

    @Test("what was asked can be erased once the payment is closed, and the hashes stay", arguments: StoreKind.allCases)
    func erasure(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        for number: UInt64 in 1...3 { try await store.reserve(.sample(number), second: Int64(number)) }
        for number: UInt64 in 1...2 {
            _ = try await store.book(
                number == 1 ? .settled : .rejected, of: PaymentIntent.sample(number).id,
                evidence: PaymentEvidence(status: 200, settlement: [1], transaction: "0x1", reason: "words"),
                at: .vectors.adding(seconds: 4))
        }
        let before = try await store.history(of: PaymentIntent.sample(1).id)
        let bound = Timestamp.vectors.adding(seconds: 3)
        #expect(try await store.erase(before: bound, by: "ann", at: bound.adding(seconds: 9)) == 1)
        #expect(try await store.erase(before: bound, by: "ann", at: bound.adding(seconds: 9)) == 0)
        let erased = try #require(try await store.payment(PaymentIntent.sample(1).id))
        #expect(erased.purpose.request == nil && erased.echo == nil && erased.salt == nil)
        #expect(erased.evidence == PaymentEvidence(status: 200, transaction: "0x1"))
        #expect(erased.terms == PaymentIntent.sample(1).terms)
        #expect(try await store.history(of: PaymentIntent.sample(1).id) == before)
        #expect(try await store.payment(PaymentIntent.sample(2).id)?.purpose.request != nil, "still open")
        // A late outcome of an erased payment leaves no text.
        let late = try await store.book(
            .rejected, of: erased.id, evidence: PaymentEvidence(status: 500, reason: "words"),
            at: bound.adding(seconds: 9))
        #expect(late.evidence == PaymentEvidence(status: 500, transaction: "0x1"))
    }

    @Test("what became of an answer is booked for a payment that was erased meanwhile", arguments: StoreKind.allCases)
    func erasedUnderWay(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        try await store.reserve(.sample(1), second: 1)
        let id = PaymentIntent.sample(1).id
        _ = try await store.book(
            .settled, of: id, evidence: PaymentEvidence(status: 200, reason: "words"), delivery: .underWay,
            at: .vectors.adding(seconds: 2))
        let bound = Timestamp.vectors.adding(seconds: 3)
        #expect(try await store.erase(before: bound, by: "ann", at: bound) == 1)
        let ended = try await store.book(
            .answered, of: id, evidence: PaymentEvidence(reason: "more words"), delivery: .undelivered, at: bound)
        #expect(ended.delivery?.fate == .undelivered && ended.purpose.request == nil && ended.salt == nil)
        #expect(ended.evidence == PaymentEvidence(status: 200))
        #expect(try await store.payment(id) == ended)
    }

    @Test("a large erasure goes portion by portion, each with an entry of its own", arguments: StoreKind.allCases)
    func largeErasure(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        defer { subject.outlive() }
        let store = subject.store
        let count = 2 * JournalLine.erasureLimit + 50
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...UInt64(count) {
                // Of one agent and minute five are booked.
                let intent = PaymentIntent.sample(number, agent: "agent-\(number / 5)")
                let refusal = RefusedPayment(
                    id: intent.id, purpose: intent.purpose, code: "unknown-asset", terms: nil, salt: intent.salt)
                group.addTask { try await store.record(refusal, at: .vectors) }
            }
            try await group.waitForAll()
        }
        let (bound, now) = (Timestamp.vectors.adding(seconds: 1), Timestamp.vectors.adding(seconds: 2))
        // One that is cancelled leaves what it has not done for the next.
        let first = Task { try await store.erase(before: bound, by: "ann", at: now) }
        first.cancel()
        let early = try await first.value
        #expect(early + (try await store.erase(before: bound, by: "ann", at: now)) == count)
        #expect(try await store.erase(before: bound, by: "ann", at: now) == 0)
        let told = try await store.read { (books) throws(LedgerError) in
            try books.newestEntries(of: .erasure, limit: 100).reversed().map(\.line.detail)
        }
        #expect(told == ["1000 payments", "1000 payments", "50 payments"])
        let left = try await store.payments(PaymentFilter(limit: 10_000))
        #expect(left.count == count && left.allSatisfy { $0.salt == nil && $0.purpose.request == nil })
    }

    @Test("the same notice is given once an hour", arguments: StoreKind.allCases)
    func notices(kind: StoreKind) async throws {
        let subject = try StoreUnderTest(kind)
        defer { subject.outlive() }
        let store = subject.store
        func notice(_ cause: String, _ subject: String, _ second: Int64) async throws -> Bool {
            try await store.notice(cause, about: subject, detail: nil, at: .vectors.adding(seconds: second))
        }
        #expect(try await notice("balance-low", "gateway:a", 0))
        #expect(try await !notice("balance-low", "gateway:a", 3599))
        #expect(try await notice("balance-low", "gateway:b", 3599))
        #expect(try await notice("gateway-rejecting", "gateway:a", 3599))
        #expect(try await notice("balance-low", "gateway:a", 3600))
    }

    @Test("rows are found by time", arguments: StoreKind.allCases)
    func times(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        for number: UInt64 in 1...9 { try await subject.store.reserve(.sample(number), second: Int64(number) * 10) }
        let found = try await subject.store.read { (books) throws(LedgerError) in
            var numbers: [[Int64]] = []
            for second: Int64 in [-5, 10, 11, 90, 91] {
                let time = Timestamp.vectors.adding(seconds: second)
                numbers.append([try books.firstPayment(since: time), try books.firstEntry(since: time)])
            }
            return numbers
        }
        #expect(found == [[1, 1], [1, 3], [2, 4], [9, 11], [10, 12]])
    }
}
