import Ledger
import Primitives
import TestSupport
import Testing

@testable import Proxy

@Suite("What an agent may still spend")
struct RemainingTests {
    private func line(_ scope: CapScope, _ limit: CapLimit, used: Dollars = .cents(1)) -> CapUsage {
        CapUsage(cap: Cap(scope, limit), used: used.quantity, resetsAt: nil)
    }

    private let agent = CapScope(.agent("scout"))

    @Test("each window says the least that agent, team and house leave")
    func least() {
        let usage = [
            line(agent, CapLimit(.day, .cents(50))), line(agent, CapLimit(.lifetime, .cents(1000))),
            line(CapScope(.team("crew")), CapLimit(.day, .cents(20))),
            line(CapScope(.house), CapLimit(.day, .cents(90))),
            line(CapScope(.house), CapLimit(.rolling(minutes: 15), .cents(3))),
        ]
        #expect(Remaining(usage).text == "15m=0.02, day=0.19, lifetime=9.99")
    }

    @Test("caps on single requests, on parts of the payments and in other measures say nothing of it")
    func leftOut() {
        let usage = [
            line(agent, CapLimit(.request, .cents(50))),
            line(CapScope(.agent("scout"), facet: .gateway("lab")), CapLimit(.day, .cents(5))),
            line(agent, CapLimit(.day, .payments, UInt256(5))),
        ]
        #expect(Remaining(usage).text.isEmpty)
        #expect(Remaining([]).text.isEmpty)
    }

    @Test("a lowered cap leaves nothing")
    func lowered() {
        #expect(Remaining([line(agent, CapLimit(.day, .cents(5)), used: .cents(9))]).text == "day=0.00")
    }
}
