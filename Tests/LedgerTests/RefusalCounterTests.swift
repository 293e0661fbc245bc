import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Refusals that are booked, and those that are counted")
struct RefusalCounterTests {
    /// A counter that an expectation may change.
    private final class Subject {
        private var counter = RefusalCounter()

        func admits(_ refusal: RefusedPayment, at now: Timestamp) -> Bool { counter.admits(refusal, at: now) }
        func revoke(_ refusal: RefusedPayment) { counter.revoke(refusal) }
        func count(_ code: String, of agent: String, at now: Timestamp) { counter.count(code, of: agent, at: now) }
        func take(all: Bool = false, at now: Timestamp) -> [CountedRefusals] { counter.take(all: all, at: now) }
        func restore(_ counts: [CountedRefusals]) { counter.restore(counts) }
    }

    private static func refusal(
        _ number: UInt64, _ code: String = "policy-refused", agent: String = "scout", url: String = "https://x/y",
        method: String = "POST"
    ) -> RefusedPayment {
        let intent = PaymentIntent.sample(number, agent: agent)
        let purpose = PaymentIntent.Purpose(
            agent: agent, team: nil, gateway: "lab", host: "x",
            request: PaymentIntent.Request(method: method, url: url, model: .absent, fingerprint: .numbered(number)))
        return RefusedPayment(id: intent.id, purpose: purpose, code: code, terms: intent.terms, salt: .numbered(number))
    }

    private static func second(_ second: Int64) -> Timestamp { .vectors.adding(seconds: second) }

    @Test("a row that the books could not take leaves its place and its bytes to others, once")
    func revoked() {
        let counter = Subject()
        let url = "https://x/" + String(repeating: "y", count: 2000)
        // Far more bytes than an hour may take, were they not given back.
        for number in 0..<2000 as Range<UInt64> {
            let refusal = Self.refusal(number, "code \(number)", url: url)
            #expect(counter.admits(refusal, at: Self.second(1)))
            counter.revoke(refusal)
            counter.revoke(refusal)
        }
        for number in 3000..<3006 as Range<UInt64> {
            #expect(counter.admits(Self.refusal(number, url: url), at: Self.second(2)) == (number < 3005))
        }
        counter.revoke(Self.refusal(9999))
        #expect(!counter.admits(Self.refusal(3010), at: Self.second(3)))
    }

    @Test("books that take no row are tried with ten refusals of a code in a minute")
    func triedInVain() {
        let counter = Subject()
        var tried = 0
        for number in 0..<100 as Range<UInt64> {
            let refusal = Self.refusal(number)
            if counter.admits(refusal, at: Self.second(1)) {
                tried += 1
                counter.revoke(refusal)
            }
        }
        #expect(tried == 10)
        #expect(counter.admits(Self.refusal(200), at: Self.second(60)))
    }

    @Test("a refusal that comes late belongs to the present minute, and begins no other one")
    func late() {
        let counter = Subject()
        for number in 0..<5 as Range<UInt64> { _ = counter.admits(Self.refusal(number), at: Self.second(120)) }
        counter.count("policy-refused", of: "scout", at: Self.second(59))
        #expect(!counter.admits(Self.refusal(10), at: Self.second(121)))
        #expect(!counter.admits(Self.refusal(11), at: Self.second(1)))
        counter.count("policy-refused", of: "scout", at: Self.second(121))
        #expect(counter.take(all: true, at: Self.second(122)).map(\.count) == [2])
    }

    @Test("of each agent, code and minute five are booked; the others are one count, with its first and last time")
    func fivePerMinute() {
        let counter = Subject()
        var booked: [String: Int] = [:]
        for second: Int64 in 0..<60 {
            for (agent, code) in [("scout", "a"), ("scout", "b"), ("other", "a")] {
                let refusal = Self.refusal(UInt64(second), code, agent: agent)
                if counter.admits(refusal, at: Self.second(second)) {
                    booked[agent + code, default: 0] += 1
                } else {
                    counter.count(code, of: agent, at: Self.second(second))
                }
            }
        }
        #expect(booked == ["scouta": 5, "scoutb": 5, "othera": 5])
        #expect(counter.take(at: Self.second(59)).isEmpty)
        let counts = counter.take(at: Self.second(60))
        #expect(
            counts == [
                CountedRefusals(agent: "other", first: Self.second(5), last: Self.second(59), codes: ["a": 55]),
                CountedRefusals(
                    agent: "scout", first: Self.second(5), last: Self.second(59), codes: ["a": 55, "b": 55]),
            ])
        #expect(counts.map(\.count) == [55, 110])
        // The next minute begins anew, and nothing is told twice.
        #expect(counter.admits(Self.refusal(100, "a"), at: Self.second(60)))
        #expect(counter.take(all: true, at: Self.second(61)).isEmpty)
    }

    @Test("a refusal that is asked about again has one row")
    func again() {
        let counter = Subject()
        for _ in 0..<9 { #expect(counter.admits(Self.refusal(1), at: .vectors)) }
        for number: UInt64 in 2...5 { #expect(counter.admits(Self.refusal(number), at: .vectors)) }
        #expect(!counter.admits(Self.refusal(6), at: .vectors))
        #expect(counter.admits(Self.refusal(5), at: .vectors))
    }

    @Test("whatever an agent varies, its rows of any hour stay within the bound, and later ones are counted")
    func bound() {
        let counter = Subject()
        var rows: [(minute: Int64, bytes: Int)] = []
        var counted = 0
        let url = "https://x/" + String(repeating: "u", count: 8000)
        for minute: Int64 in 0..<180 {
            for number in 0..<UInt64(300) {
                let refusal = Self.refusal(UInt64(minute) * 1000 + number, "code-\(number % 60)", url: url)
                if counter.admits(refusal, at: Self.second(minute * 60)) {
                    rows.append((minute, refusal.rowBytes))
                } else {
                    counter.count(refusal.code, of: "scout", at: Self.second(minute * 60))
                    counted += 1
                }
            }
        }
        for start: Int64 in 0..<120 {
            let bytes = rows.filter { (start..<start + 60).contains($0.minute) }.reduce(0) { $0 + $1.bytes }
            #expect(bytes <= RefusalCounter.rowBytesPerHour)
        }
        #expect(rows.contains { $0.minute > 61 }, "the bound is one of an hour")
        let counts = counter.take(all: true, at: Self.second(180 * 60))
        #expect(counts.reduce(0) { $0 + $1.count } == Int64(counted))
        for count in counts {
            #expect(count.codes.count <= RefusalCounter.namedCodes + 1)
            #expect((count.line.detail?.utf8.count ?? 0) < 1500)
        }
        // Another agent has its own.
        #expect(counter.admits(Self.refusal(1, agent: "honest"), at: Self.second(179 * 60)))
    }

    @Test("counts that cannot be written are kept, an hour's lines at most, and none is lost")
    func restored() {
        let counter = Subject()
        for minute: Int64 in 0..<200 {
            counter.count("a", of: "scout", at: Self.second(minute * 60))
            counter.restore(counter.take(at: Self.second(minute * 60 + 1)))
        }
        let counts = counter.take(all: true, at: Self.second(200 * 60))
        #expect(counts.count <= 61 && counts.reduce(0) { $0 + $1.count } == 200)
        #expect(counts.map(\.first).min() == Self.second(0) && counts.map(\.last).max() == Self.second(199 * 60))
        #expect(counter.take(all: true, at: Self.second(200 * 60)).isEmpty)
    }

    @Test("a clock that is put back begins another minute")
    func back() {
        let counter = Subject()
        for number: UInt64 in 0..<5 { #expect(counter.admits(Self.refusal(number), at: Self.second(3600))) }
        counter.count("a", of: "scout", at: Self.second(3600))
        #expect(counter.admits(Self.refusal(9), at: .vectors))
        #expect(counter.take(at: .vectors).map(\.first) == [Self.second(3600)])
    }

    @Test("a counted line reads as what was written, and nothing else does")
    func line() throws {
        let count = CountedRefusals(
            agent: "scout", first: Self.second(3), last: Self.second(58), codes: ["cap-day": 3, "no-cap": 4_000_000])
        #expect(CountedRefusals(count.line) == count)
        #expect(
            count.line.detail
                == #"{"first":"\#(Self.second(3))","last":"\#(Self.second(58))","count":4000003,"#
                + #""codes":{"cap-day":3,"no-cap":4000000}}"#)
        let detail = try #require(count.line.detail)
        for (from, to) in [("4000003", "7"), (":3,", ":0,"), ("codes", "code"), ("first", "last")] {
            var line = count.line
            line.detail = detail.replacing(from, with: to)
            #expect(CountedRefusals(line) == nil, "\(to)")
        }
        #expect(CountedRefusals(JournalLine(.notice, subject: "scout", cause: "counted", detail: detail)) == nil)
    }

    @Test("a refusal keeps 2 KiB of the URL and 64 bytes of the method, whole characters")
    func cut() {
        let long = Self.refusal(
            1, url: "https://x/" + String(repeating: "€", count: 3000), method: String(repeating: "M", count: 900))
        #expect(long.purpose.request?.method.utf8.count == 64)
        let url = long.purpose.request?.url ?? ""
        #expect((2046...2048).contains(url.utf8.count) && url.hasSuffix("€"))
        #expect(long.purpose.request?.fingerprint == .numbered(1))
        let short = Self.refusal(1)
        #expect(short.purpose.request?.url == "https://x/y" && short.purpose.request?.method == "POST")
    }
}
