import Ledger
import Primitives
import TestSupport
import Testing

/// A row of Specs/lifecycle/repetitions.json: an earlier identical request, and what a repetition gets.
struct RepetitionRow: Sendable, CustomStringConvertible {
    /// An event, with what it tells of the answer.
    enum Step: Sendable {
        case event(PaymentEvent, Delivery.Fate?)
        case restart
    }

    /// How the repetition asks.
    enum Way: String, CaseIterable, Sendable {
        case plain, sameKey, otherKey, buy
    }

    let description: String
    let steps: [Step]
    let after: Int64
    let asksSomethingElse: Bool
    let results: [Way: String]

    static let document = Result { try Vectors.document("Specs/lifecycle/repetitions.json") }

    static let all: [RepetitionRow] = ((try? document.get())?["rows"]?.elements ?? []).compactMap { RepetitionRow($0) }

    private init?(_ row: JSONValue) {
        guard let earlier = row["earlier"]?.string, let after = row["after"]?.integer else { return nil }
        description = earlier
        self.after = after
        asksSomethingElse = row["asks"] != nil
        steps = (row["steps"]?.elements ?? []).compactMap(\.string).compactMap { text in
            let words = text.split(separator: " ").map(String.init)
            if words == ["restart"] { return .restart }
            return PaymentEvent(rawValue: words[0]).map {
                .event($0, words.count > 1 ? Delivery.Fate(rawValue: words[1]) : nil)
            }
        }
        results = Dictionary(
            uniqueKeysWithValues: Way.allCases.compactMap { way in row[way.rawValue]?.string.map { (way, $0) } })
    }
}

@Suite("What a repetition gets, by the table")
struct RepetitionConformanceTests {
    private static let first = PaymentIntent.sample(1, fingerprint: 77, validFor: 300)

    private static func asking(_ number: UInt64, something: Bool = false) -> PaymentIntent {
        let same = PaymentIntent.sample(number, fingerprint: 77, validFor: 300)
        guard something else { return same }
        let entry = #"{"scheme":"exact","network":"eip155:42161","amount":"10000","extra":{"quote":"b"}}"#
        return PaymentIntent(
            id: same.id, purpose: same.purpose, terms: same.terms,
            echo: PaymentIntent.Echo(version: 2, accepted: Array(entry.utf8), resource: nil, extensions: nil),
            salt: same.salt)
    }

    private static func request(_ row: RepetitionRow, _ way: RepetitionRow.Way) -> ReservationRequest {
        let key: UInt64? =
            switch way {
            case .plain, .buy: nil
            case .sameKey: 5
            case .otherKey: 6
            }
        return ReservationRequest(
            asking(2, something: row.asksSomethingElse), idempotencyKey: key.map { .numbered($0) },
            buysAgain: way == .buy)
    }

    @Test(
        "a repetition gets what the table says, from every store", arguments: RepetitionRow.all,
        StoreKind.allCases)
    func table(row: RepetitionRow, kind: StoreKind) async throws {
        for way in RepetitionRow.Way.allCases {
            let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
            let store = subject.store
            let first = ReservationRequest(Self.first, idempotencyKey: way == .sameKey ? .numbered(5) : nil)
            #expect(try await store.reserve(first, at: .vectors).record != nil)
            for step in row.steps {
                switch step {
                case .event(let event, let delivery):
                    _ = try await store.book(
                        event, of: Self.first.id, evidence: PaymentEvidence(), delivery: delivery, at: .vectors,
                        pace: .prompt)
                case .restart: _ = try await store.doubtAttended(at: .vectors)
                }
            }
            let outcome = try await store.reserve(
                Self.request(row, way), at: .vectors.adding(seconds: row.after))
            let result =
                switch outcome {
                case .reserved: "new"
                case .adopted(let reservation): reservation.record.id == Self.first.id ? "same-bytes" : "another"
                case .refused(let refusal), .counted(let refusal): refusal.code
                }
            #expect(result == row.results[way], "\(way)")
            subject.outlive()
        }
    }

    @Test("the table has a result for each way, and README shows each row")
    func readme() throws {
        let document = try RepetitionRow.document.get()
        let rows = try #require(document["rows"]?.elements)
        #expect(rows.count == RepetitionRow.all.count && rows.count > 20)
        let readme = String(decoding: try Vectors.bytes(of: "Specs/lifecycle/README.md"), as: UTF8.self)
        let words = try #require(document["results"])
        for row in RepetitionRow.all {
            let cells = try RepetitionRow.Way.allCases.map { way in
                let result = try #require(row.results[way])
                return try #require(words[result]?.string)
            }
            let source = rows.first { $0["earlier"]?.string == row.description }
            let marks = [("joins", " ¹"), ("waits", " ²")].filter { source?[$0.0]?.bool == true }.map(\.1).joined()
            let line = "| \(row.description)\(marks) | \(cells.joined(separator: " | ")) |"
            #expect(readme.contains(line), "README lacks: \(line)")
        }
    }

    @Test("what holds a request back is told with its end", arguments: StoreKind.allCases)
    func ends(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        func again(_ number: UInt64, second: Int64, rules: ReservationRules = .init()) async throws
            -> ReservationOutcome
        {
            try await store.reserve(
                ReservationRequest(Self.asking(number), rules: rules), at: .vectors.adding(seconds: second))
        }
        try await store.reserve(Self.first)
        _ = try await store.book(
            .settled, of: Self.first.id, evidence: PaymentEvidence(), delivery: .failed, at: .vectors, pace: .prompt)
        let id = Self.first.id
        #expect(
            try await again(2, second: 0).refusal == .notServed(id, until: .vectors.adding(seconds: 1)))
        #expect(try await again(3, second: 5).adopted?.id == id)
        #expect(
            try await again(4, second: 5).refusal == .notServed(id, until: .vectors.adding(seconds: 6)))
        #expect(try await again(5, second: 6).adopted?.id == id)
        #expect(
            try await store.history(of: id).map(\.line.cause) == ["reserved", "settled", "repeated", "repeated"])
        // The entry's own time, and 0 pays at once.
        #expect(try await again(7, second: 6, rules: ReservationRules(repeatAfterFailure: 0)).record != nil)
        let long = ReservationRules(repeatAfterFailure: 400)
        #expect(
            try await again(6, second: 300, rules: long).refusal
                == .notServed(id, until: .vectors.adding(seconds: 400)))
        subject.outlive()
    }

    @Test("a good answer to the bytes sent again ends what held the request back", arguments: StoreKind.allCases)
    func good(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        try await store.reserve(Self.first)
        _ = try await store.book(
            .settled, of: Self.first.id, evidence: PaymentEvidence(), delivery: .undelivered, at: .vectors,
            pace: .prompt)
        #expect(try await store.reserve(Self.asking(2)).adopted?.delivery?.repeatedAt == .vectors)
        let record = try await store.book(
            .settled, of: Self.first.id, evidence: PaymentEvidence(), delivery: .delivered, at: .vectors,
            pace: .prompt)
        #expect(record.delivery?.fate == .delivered)
        #expect(try await store.reserve(Self.asking(3)).record != nil)
        #expect(
            try await store.history(of: Self.first.id).map(\.line.detail) == [
                nil, "answer: undelivered", nil, "answer: delivered",
            ])
        subject.outlive()
    }

    @Test("a held repetition needs no money, and gets nothing under a freeze", arguments: StoreKind.allCases)
    func caps(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=0.01")
        let store = subject.store
        try await store.reserve(Self.first)
        _ = try await store.book(
            .settled, of: Self.first.id, evidence: PaymentEvidence(), delivery: .undelivered, at: .vectors,
            pace: .prompt)
        #expect(try await store.reserve(Self.asking(2)).adopted != nil)
        #expect(try await store.used(.day) == .cents(1))
        let buying = ReservationRequest(Self.asking(3), buysAgain: true)
        #expect(try await store.reserve(buying, at: .vectors).refusalCode == "cap-day")
        _ = try await store.freeze(
            Freeze(scope: .agent("scout"), since: .vectors, actor: "tester", reason: nil))
        #expect(try await store.reserve(Self.asking(4)).refusalCode == "frozen")
        subject.outlive()
    }

    @Test("what tells nothing new of an answer leaves no entry", arguments: StoreKind.allCases)
    func nothingNew(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        try await store.reserve(Self.first)
        try await store.book(.settled, of: Self.first)
        for fate in Delivery.Fate.allCases {
            let record = try await store.book(
                .answered, of: Self.first.id, evidence: PaymentEvidence(), delivery: fate, at: .vectors, pace: .prompt)
            #expect(record.delivery == nil)
        }
        #expect(try await store.history(of: Self.first.id).count == 2)
        await #expect(throws: LedgerError.impossible(state: .settled, event: .repeated)) {
            _ = try await store.book(.repeated, of: Self.first)
        }
        subject.outlive()
    }
}
