import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Caps")
struct CapTests {
    private static func line(_ text: String, used: Dollars, at now: Timestamp = .vectors) -> CapUsage? {
        CapLimit(text).map { limit in
            let counter = CapCounter(
                open: .zero,
                buckets: [.init(start: now.startOfUTCHour, counted: used.quantity, open: .zero)])
            let isOneBucket = [.day, .lifetime, .week, .month].contains(limit.window)
            let kept =
                isOneBucket
                ? CapCounter(
                    open: .zero,
                    buckets: [
                        .init(
                            start: limit.window == .lifetime ? Timestamp(milliseconds: 0) : now,
                            counted: used.quantity, open: .zero)
                    ]) : counter
            return CapUsage(cap: Cap(agent: "scout", limit), counter: kept, at: now)
        }
    }

    private static func spend(_ dollars: Dollars) -> Spend {
        let intent = PaymentIntent.sample(1, value: dollars)
        return intent.purpose.spend(intent.terms)
    }

    private func binding(_ cents: Int64, day: Int64 = 0, lifetime: Int64 = 0) -> CapUsage? {
        let lines = [
            Self.line("lifetime=1.00", used: .cents(lifetime)), Self.line("request=0.10", used: .zero),
            Self.line("day=0.50", used: .cents(day)),
        ].compactMap(\.self)
        return CapUsage.binding(of: lines, for: Self.spend(.cents(cents)))
    }

    @Test("a payment that fills a cap exactly is admitted")
    func exactFit() {
        #expect(binding(10) == nil)
        #expect(binding(10, day: 40, lifetime: 90) == nil)
    }

    @Test(
        "of the caps that do not hold, the one that is free again last is named, the narrowest of equals",
        arguments: [
            (11, 0, 0, CapWindow.request), (11, 50, 100, .request), (1, 50, 100, .lifetime), (2, 49, 60, .day),
            (5, 40, 96, .lifetime),
        ] as [(Int64, Int64, Int64, CapWindow)])
    func bindingCap(cents: Int64, day: Int64, lifetime: Int64, window: CapWindow) {
        #expect(binding(cents, day: day, lifetime: lifetime)?.cap.limit.window == window)
    }

    @Test("a cap below what is used leaves nothing")
    func lowered() throws {
        let usage = try #require(Self.line("day=0.05", used: .cents(9)))
        #expect(usage.left == .zero)
        #expect(!usage.admits(UInt256(1)))
    }

    @Test("sums that do not fit are refused, never wrapped")
    func overflow() {
        let cap = Cap(agent: "scout", CapLimit(.lifetime, .dollars, .max))
        let usage = CapUsage(cap: cap, used: .max, resetsAt: nil)
        #expect(usage.admits(.zero))
        #expect(!usage.admits(UInt256(1)))
    }

    @Test(
        "an operator's limit is read as it was meant",
        arguments: [
            ("day=5", CapLimit(.day, .cents(500))), ("15m=0.10", CapLimit(.rolling(minutes: 15), .cents(10))),
            ("hour=100payments", CapLimit(.hour, .payments, UInt256(100))),
            ("month=5000000units", CapLimit(.month, .units, UInt256(5_000_000))),
        ])
    func limits(text: String, limit: CapLimit) {
        #expect(CapLimit(text) == limit)
    }

    @Test(
        "reject- limits that are not plain",
        arguments: [
            "day", "day=", "fortnight=5", "day=-1", "day=1e3", "=5", "0m=1", "015m=1", "10081m=1", "m=1", "day=1 unit",
            "day=units", "request=3payments", "day=1.5payments",
        ])
    func badLimits(text: String) {
        #expect(CapLimit(text) == nil)
    }

    @Test(
        "scopes are read as they are written",
        arguments: [
            "house", "team:research", "agent:scout", "agent:scout gateway:lab", "house payee:0xAb",
            "team:a asset:eip155:42161/0xfd", "agent:scout network:eip155:1", "agent:scout host:api.example",
        ])
    func scopes(text: String) {
        #expect(CapScope(text)?.description == text)
    }

    @Test(
        "reject- scopes that name nothing", arguments: ["", "team:", "agent:A B", "house x", "house color:red", "Team"])
    func badScopes(text: String) {
        #expect(CapScope(text) == nil)
    }

    @Test("a bare name is an agent's")
    func bareName() {
        #expect(CapHolder("scout") == .agent("scout"))
    }

    @Test(
        "warnings come at 50, 80 and 95 percent, once each and the highest only",
        arguments: [
            (0, 49, nil), (0, 50, 50), (49, 1, 50), (50, 10, nil), (50, 30, 80), (0, 96, 95), (80, 15, 95),
            (95, 5, nil),
        ] as [(Int64, Int64, UInt64?)])
    func warnings(used: Int64, more: Int64, share: UInt64?) throws {
        let usage = try #require(Self.line("lifetime=1.00", used: .cents(used)))
        let warnings = CapUsage.warnings(of: [usage], adding: Self.spend(.cents(more)))
        #expect(warnings.map(\.share) == [share].compactMap(\.self))
        #expect(warnings.allSatisfy { $0.usage.used == Dollars.cents(used + more).quantity })
    }

    @Test("codes of refusals stay what they are")
    func codes() {
        let freeze = Freeze(scope: .everything, since: .vectors, actor: "tester", reason: nil)
        #expect(ReservationRefusal.noCap.code == "no-cap")
        #expect(ReservationRefusal.unknownAgent.code == "unknown-agent")
        #expect(ReservationRefusal.frozen(freeze).code == "frozen")
        let pause = RejectionPause(scope: .gateway, until: .vectors)
        #expect(ReservationRefusal.gatewayRejecting(pause).code == "gateway-rejecting")
        #expect(ReservationRefusal.clockBehind(seconds: 61).code == "clock-behind")
        #expect(binding(11).map { ReservationRefusal.exceeded($0).code } == "cap-request")
    }
}
