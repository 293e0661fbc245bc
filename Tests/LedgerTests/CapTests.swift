import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Caps")
struct CapTests {
    private let caps = [
        Cap(window: .lifetime, limit: .cents(100)), Cap(window: .request, limit: .cents(10)),
        Cap(window: .day, limit: .cents(50)),
    ]

    private func refusal(_ cents: Int64, day: Int64 = 0, lifetime: Int64 = 0) -> CapRefusal? {
        CapCheck.refusal(
            of: .cents(cents), caps: caps, counted: Counted(day: .cents(day), lifetime: .cents(lifetime)),
            at: .vectors)
    }

    @Test("a payment that fills a cap exactly is admitted")
    func exactFit() {
        #expect(refusal(10) == nil)
        #expect(refusal(10, day: 40, lifetime: 90) == nil)
    }

    @Test(
        "the narrowest cap that does not hold is named",
        arguments: [
            (11, 0, 0, CapWindow.request), (11, 50, 100, .request), (1, 50, 100, .day), (2, 49, 60, .day),
            (5, 40, 96, .lifetime),
        ] as [(Int64, Int64, Int64, CapWindow)])
    func binding(cents: Int64, day: Int64, lifetime: Int64, window: CapWindow) throws {
        guard case .exceeded(let usage)? = refusal(cents, day: day, lifetime: lifetime) else {
            Issue.record("not refused")
            return
        }
        #expect(usage.cap.window == window)
    }

    @Test("an agent without a cap pays nothing")
    func noCap() {
        let none = Counted(day: .zero, lifetime: .zero)
        #expect(CapCheck.refusal(of: .zero, caps: [], counted: none, at: .vectors) == .noCap)
    }

    @Test("the day's cap starts anew at the next midnight UTC")
    func reset() {
        let usage = CapCheck.usage(
            of: caps, counted: Counted(day: .cents(7), lifetime: .cents(9)), at: .vectors.adding(seconds: 86_399))
        #expect(usage.map(\.cap.window) == [.request, .day, .lifetime])
        #expect(usage.map(\.used) == [.zero, .cents(7), .cents(9)])
        #expect(usage.map(\.resetsAt) == [nil, .vectors.adding(seconds: 86_400), nil])
    }

    @Test("a cap below what is used leaves nothing")
    func lowered() {
        let usage = CapUsage(cap: Cap(window: .day, limit: .cents(5)), used: .cents(9), resetsAt: nil)
        #expect(usage.left == .zero)
        #expect(!usage.admits(.cents(1)))
    }

    @Test("a lifetime total that cannot be represented is refused")
    func overflow() {
        let refusal = CapCheck.refusal(
            of: .max, caps: [Cap(window: .request, limit: .max)],
            counted: Counted(day: .zero, lifetime: .cents(1)), at: .vectors)
        #expect(refusal?.code == "cap-lifetime")
    }

    @Test("an operator's text is read strictly", arguments: ["day", "day=", "week=5", "day=-1", "day=1e3", "=5"])
    func badText(text: String) {
        #expect(Cap(text) == nil)
    }

    @Test("codes of refusals stay what they are")
    func codes() {
        #expect(CapRefusal.noCap.code == "no-cap")
        #expect(CapRefusal.unknownAgent.code == "unknown-agent")
        #expect(refusal(11)?.code == "cap-request")
    }
}
