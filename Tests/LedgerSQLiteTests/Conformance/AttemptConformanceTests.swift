import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Every store knows an earlier attempt alike")
struct AttemptConformanceTests {
    private static let fingerprint: UInt64 = 77

    private static func intent(_ number: UInt64, fingerprint: UInt64 = fingerprint) -> PaymentIntent {
        .sample(number, fingerprint: fingerprint, validFor: 300)
    }

    private static func keyed(_ number: UInt64, _ key: UInt64, fingerprint: UInt64 = fingerprint) -> ReservationRequest
    {
        ReservationRequest(intent(number, fingerprint: fingerprint), idempotencyKey: .numbered(key))
    }

    @Test(
        "an unresolved attempt is taken over by the next identical request, with its own bytes",
        arguments: StoreKind.allCases, [PaymentEvent.rejected, .lostSight])
    func adoption(kind: StoreKind, event: PaymentEvent) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let first = Self.intent(1)
        try await subject.store.reserve(first)
        try await subject.store.book(event, of: first)
        let adopted = try #require(try await subject.store.reserve(Self.intent(2)).adopted)
        #expect(adopted.id == first.id)
        #expect(adopted.terms == first.terms && adopted.echo == first.echo)
        #expect(adopted.state == .resumed)
        #expect(try await subject.store.used(.day) == .cents(1))
        #expect(try await subject.store.payment(Self.intent(2).id) == nil)
        #expect(
            try await subject.store.history(of: first.id).map(\.line.cause) == ["reserved", event.rawValue, "adopted"])
    }

    @Test("an attempt whose agent is connected is left alone", arguments: StoreKind.allCases)
    func connected(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        try await subject.store.reserve(Self.intent(1))
        #expect(try await subject.store.reserve(Self.intent(2)).record?.id == Self.intent(2).id)
        try await subject.store.book(.lostSight, of: Self.intent(1))
        #expect(try await subject.store.reserve(Self.intent(3)).adopted?.id == Self.intent(1).id)
        // Both are attended again: the next one is a payment of its own.
        #expect(try await subject.store.reserve(Self.intent(4)).record?.id == Self.intent(4).id)
    }

    @Test("an attempt has one adopter at a time, and the oldest goes first", arguments: StoreKind.allCases)
    func oneAdopter(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        for number: UInt64 in 1...2 { try await subject.store.reserve(Self.intent(number)) }
        for number: UInt64 in 1...2 { try await subject.store.book(.lostSight, of: Self.intent(number)) }
        #expect(try await subject.store.reserve(Self.intent(3)).adopted?.id == Self.intent(1).id)
        #expect(try await subject.store.reserve(Self.intent(4)).adopted?.id == Self.intent(2).id)
        #expect(try await subject.store.reserve(Self.intent(5)).record != nil)
        #expect(try await subject.store.used(.day) == .cents(3))
    }

    @Test("64 identical requests at once take an unresolved attempt over once", arguments: StoreKind.allCases)
    func parallelAdopters(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        defer { subject.outlive() }
        let store = subject.store
        try await store.reserve(Self.intent(1))
        try await store.book(.lostSight, of: Self.intent(1))
        let adopters = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number: UInt64 in 2..<66 {
                group.addTask { try await store.reserve(Self.intent(number)).adopted != nil }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(adopters == 1)
    }

    @Test("other agents and other requests adopt nothing", arguments: StoreKind.allCases)
    func strangers(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        try await subject.store.add(.sample("other", number: 2, caps: [CapLimit(.day, .cents(500))]))
        try await subject.store.reserve(Self.intent(1))
        try await subject.store.book(.lostSight, of: Self.intent(1))
        #expect(try await subject.store.reserve(.sample(2, agent: "other", fingerprint: 77)).record != nil)
        #expect(try await subject.store.reserve(Self.intent(3, fingerprint: 78)).record != nil)
    }

    @Test("after a restart an attempt is adopted like any other", arguments: StoreKind.allCases)
    func restart(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        try await subject.store.reserve(Self.intent(1))
        try await subject.store.book(.lostSight, of: Self.intent(1))
        try await subject.store.reserve(Self.intent(2))
        #expect(try await subject.store.doubtAttended(at: .vectors).value == 1)
        #expect(try await subject.store.reserve(Self.intent(3)).adopted?.id == Self.intent(1).id)
    }

    @Test("what cannot be sent any more stands in the way until it is closed", arguments: StoreKind.allCases)
    func tooLate(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        try await subject.store.reserve(Self.intent(1))
        try await subject.store.book(.lostSight, of: Self.intent(1))
        let end = Timestamp.vectors.adding(seconds: 360)
        for (number, second) in zip((2 as UInt64)..., [293, 300, 360] as [Int64]) {
            #expect(
                try await subject.store.reserve(Self.intent(number), second: second).refusal
                    == .unresolved(Self.intent(1).id, until: end))
        }
        // The clock alone closes nothing: the chain may be behind.
        let late = Timestamp.vectors.adding(seconds: 1000)
        #expect(
            try await subject.store.reserve(Self.intent(8), at: late).refusal
                == .unresolved(Self.intent(1).id, until: late))
        #expect(try await subject.store.closeOverdue(OverduePolicy(), at: late).value == 1)
        #expect(try await subject.store.reserve(Self.intent(9), at: late).record != nil)
    }

    @Test("a key has one authorization, also when it is settled", arguments: StoreKind.allCases)
    func keys(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        #expect(try await store.reserve(Self.keyed(1, 5), at: .vectors).record != nil)
        #expect(try await store.reserve(Self.keyed(2, 5), at: .vectors).refusal == .keyInUse(Self.intent(1).id))
        try await store.book(.settled, of: Self.intent(1))
        let again = try await store.reserve(Self.keyed(3, 5), at: .vectors.adding(seconds: 100))
        #expect(again.adopted?.id == Self.intent(1).id)
        #expect(again.adopted?.state == .settled)
        #expect(
            try await store.reserve(Self.keyed(4, 5), at: .vectors.adding(seconds: 500)).refusal
                == .keySpent(Self.intent(1).id))
        #expect(try await store.used(.day) == .cents(1))
        let tomorrow = Timestamp.vectors.adding(seconds: 86_400)
        #expect(try await store.reserve(Self.keyed(6, 5), at: tomorrow).record != nil)
    }

    @Test("a key belongs to one request of one agent", arguments: StoreKind.allCases)
    func keyReuse(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        try await store.add(.sample("other", number: 2, caps: [CapLimit(.day, .cents(500))]))
        #expect(try await store.reserve(Self.keyed(1, 5), at: .vectors).record != nil)
        #expect(
            try await store.reserve(Self.keyed(2, 5, fingerprint: 78), at: .vectors).refusal
                == .keyReused(Self.intent(1).id))
        let theirs = ReservationRequest(
            .sample(3, agent: "other", fingerprint: 78), idempotencyKey: .numbered(5))
        #expect(try await store.reserve(theirs, at: .vectors).record != nil)
    }

    @Test("a key that is used again behind its lifetime binds for another one", arguments: StoreKind.allCases)
    func renewedKey(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "lifetime=5")
        let store = subject.store
        func keyed(_ number: UInt64) -> ReservationRequest {
            ReservationRequest(
                .sample(number, fingerprint: Self.fingerprint, validFor: 200_000), idempotencyKey: .numbered(5))
        }
        #expect(try await store.reserve(keyed(1), at: .vectors).record != nil)
        try await store.book(.lostSight, of: Self.intent(1))
        // The key is free by now, and the attempt is taken over for its own sake.
        let tomorrow = Timestamp.vectors.adding(seconds: ReservationRequest.keyLifetime)
        #expect(try await store.reserve(keyed(2), at: tomorrow).adopted?.id == Self.intent(1).id)
        _ = try await store.book(.settled, of: Self.intent(1).id, evidence: PaymentEvidence(), at: tomorrow)
        #expect(try await store.reserve(keyed(3), at: tomorrow.adding(seconds: 9)).adopted?.id == Self.intent(1).id)
        let later = tomorrow.adding(seconds: ReservationRequest.keyLifetime)
        #expect(try await store.reserve(keyed(4), at: later).record?.id == Self.intent(4).id)
    }

    @Test("a key whose payment was never sent is free again", arguments: StoreKind.allCases)
    func freedKey(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        #expect(try await subject.store.reserve(Self.keyed(1, 5), at: .vectors).record != nil)
        try await subject.store.book(.neverSent, of: Self.intent(1))
        #expect(try await subject.store.reserve(Self.keyed(2, 5), at: .vectors).record != nil)
        #expect(try await subject.store.used(.day) == .cents(1))
    }
}
