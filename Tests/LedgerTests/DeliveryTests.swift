import Ledger
import Primitives
import TestSupport
import Testing

@Suite("What became of an answer")
struct DeliveryTests {
    private func record(_ state: PaymentState, _ fate: Delivery.Fate?) -> PaymentRecord {
        var record = PaymentRecord(reserving: .sample(1, validFor: 300), at: .vectors)
            .after(state, at: .vectors, evidence: PaymentEvidence())
        record.delivery = fate.map { Delivery($0, at: .vectors) }
        return record
    }

    private let later = Timestamp.vectors.adding(seconds: 5)

    /// What a step that closes an open payment makes of its answer.
    @Test("an answer that came at once and well leaves nothing, every other one is remembered")
    func closing() {
        for state in [PaymentState.reserved, .resumed, .rejected, .inDoubt] {
            let known = record(state, nil)
            func next(_ news: Delivery.Fate?) -> Delivery? {
                known.delivery(after: .settled, to: .settled, news: news, at: later)
            }
            #expect(next(nil) == nil && next(.delivered) == nil)
            for fate in [Delivery.Fate.underWay, .undelivered, .left, .failed] {
                #expect(next(fate) == Delivery(fate, at: later))
            }
        }
    }

    @Test("of a payment that stays open only a failure is remembered, and none where nothing was sent")
    func open() {
        let known = record(.reserved, nil)
        for fate in Delivery.Fate.allCases {
            let next = known.delivery(after: .lostSight, to: .inDoubt, news: fate, at: later)
            #expect(next?.fate == (fate == .failed ? .failed : nil))
            #expect(known.delivery(after: .neverSent, to: .voided, news: fate, at: later) == nil)
        }
    }

    @Test("what the chain proves of an attempt without an answer is still owed")
    func proven() {
        let doubtful = record(.inDoubt, nil)
        #expect(
            doubtful.delivery(after: .provenUsed, to: .confirmed, news: nil, at: later)
                == Delivery(.undelivered, at: later))
        let failed = record(.inDoubt, .failed)
        #expect(failed.delivery(after: .provenUsed, to: .confirmed, news: nil, at: later) == failed.delivery)
        #expect(doubtful.delivery(after: .provenUnused, to: .released, news: nil, at: later) == nil)
    }

    /// By what is known, for each news: what is known then.
    static let closed: [Delivery.Fate: [Delivery.Fate: Delivery.Fate]] = [
        .underWay: [
            .underWay: .underWay, .delivered: .delivered, .undelivered: .undelivered, .left: .left, .failed: .failed,
        ],
        .delivered: [
            .underWay: .delivered, .delivered: .delivered, .undelivered: .delivered, .left: .delivered,
            .failed: .delivered,
        ],
        .undelivered: [
            .underWay: .undelivered, .delivered: .delivered, .undelivered: .undelivered, .left: .left,
            .failed: .failed,
        ],
        .left: [.underWay: .left, .delivered: .delivered, .undelivered: .left, .left: .left, .failed: .left],
        .failed: [.underWay: .failed, .delivered: .delivered, .undelivered: .failed, .left: .failed, .failed: .failed],
    ]

    @Test(
        "after its end only a good answer ends what an earlier one left, and no failure extends it", arguments: closed
    )
    func afterTheEnd(known: Delivery.Fate, row: [Delivery.Fate: Delivery.Fate]) {
        for state in [PaymentState.settled, .presumed, .confirmed] {
            for (news, expected) in row {
                let next = record(state, known).delivery(after: .settled, to: state, news: news, at: later)
                #expect(next?.fate == expected)
                #expect(next?.at == (expected == known ? .vectors : later))
            }
            // One that was answered well at once, or by an earlier version, is never held against a later request.
            for news in Delivery.Fate.allCases {
                #expect(record(state, nil).delivery(after: .settled, to: state, news: news, at: later) == nil)
            }
        }
    }

    @Test(
        "an answer that did not arrive holds until every clock is past the window, the others as long as is configured",
        arguments: [
            (Delivery.Fate.undelivered, Int64(60), Int64?(360)), (.undelivered, 0, 360), (.failed, 60, 60),
            (.failed, 0, 0), (.failed, 1000, 1000), (.left, 60, 60), (.left, 1000, 360), (.left, 0, 0),
            (.underWay, 60, nil), (.delivered, 60, nil),
        ])
    func ends(fate: Delivery.Fate, pause: Int64, seconds: Int64?) {
        let rules = ReservationRules(repeatAfterFailure: pause)
        for state in PaymentState.allCases {
            let isSpent = [.settled, .presumed, .confirmed].contains(state)
            #expect(
                record(state, fate).heldUntil(by: rules)
                    == (isSpent ? seconds.map { Timestamp.vectors.adding(seconds: $0) } : nil))
            #expect(record(state, nil).heldUntil(by: rules) == nil)
        }
    }

    @Test("an entry says it in one form", arguments: Delivery.Fate.allCases)
    func detail(fate: Delivery.Fate) {
        #expect(Delivery.fate(inDetail: Delivery(fate, at: .vectors).detail) == fate)
        #expect(Delivery.fate(inDetail: "answer: gone") == nil && Delivery.fate(inDetail: nil) == nil)
    }

    static let fitting = [
        (#"{"a":1,"extra":{"b":[1,"x"]}}"#, #"{"extra":{"b":[1,"x"]},"a":1}"#, true),
        (#"{"extra":{"quote":"a"}}"#, #"{"extra":{"quote":"b"}}"#, false),
        (#"{"extra":{}}"#, #"{"extra":{"quote":"b"}}"#, false),
        (#"{"description":"a"}"#, #"{"description":"b"}"#, false),
        (#"{"extra":{"at":1795305601}}"#, #"{"extra":{"at":1795305660}}"#, true),
        (#"{"extra":{"at":"1795305601000"}}"#, #"{"extra":{"at":"1795305660000"}}"#, true),
        (#"{"extra":{"at":"2026-11-22T00:00:01Z"}}"#, #"{"extra":{"at":"2026-11-22T00:01:00Z"}}"#, true),
        (#"{"extra":{"at":1795305601,"id":7}}"#, #"{"extra":{"at":1795305660,"id":8}}"#, false),
        (#"{"extra":{"at":1795305601}}"#, #"{"extra":{"at":9795305601}}"#, false),
        (#"{"extra":{"quoteId":1795305601000}}"#, #"{"extra":{"quoteId":1795305660000}}"#, false),
        (#"{"extra":{"validUntil":1795305601}}"#, #"{"extra":{"validUntil":1795305660}}"#, true),
        (#"{"maxTimeoutSeconds":60}"#, #"{"maxTimeoutSeconds":61}"#, false),
    ]

    @Test("bytes that a seller refused fit what it asks again, but for the time of day", arguments: fitting)
    func fits(first: String, second: String, fit: Bool) {
        func request(_ number: UInt64, _ entry: String, version: Int = 2, amount: UInt64 = 10_000) -> PaymentIntent {
            let intent = PaymentIntent.sample(number, amount: UInt256(amount), fingerprint: 7)
            return PaymentIntent(
                id: intent.id, purpose: intent.purpose, terms: intent.terms,
                echo: PaymentIntent.Echo(version: version, accepted: Array(entry.utf8), resource: nil, extensions: nil),
                salt: intent.salt)
        }
        func attempt(_ state: PaymentState, _ known: PaymentIntent, _ asked: PaymentIntent) -> EarlierAttempt {
            let record = PaymentRecord(reserving: known, at: .vectors).after(
                state, at: .vectors, evidence: PaymentEvidence())
            return EarlierAttempt.unresolved(record, for: ReservationRequest(asked), at: .vectors)
        }
        let known = request(1, first)
        let refused = EarlierAttempt.refuse(.unfit(known.id, until: .vectors.adding(seconds: 360)))
        #expect(attempt(.rejected, known, request(2, second)) == (fit ? .adopt : refused))
        // What the seller has not refused may have been taken, and one of version 1 echoes no entry.
        #expect(attempt(.inDoubt, known, request(2, second)) == .adopt)
        #expect(attempt(.rejected, request(1, first, version: 1), request(2, second, version: 1)) == .adopt)
        #expect(attempt(.rejected, known, request(2, first, amount: 10_001)) == refused)
        #expect(attempt(.inDoubt, known, request(2, first, amount: 10_001)) == .adopt)
    }
}
