import Testing

@testable import Proxy

@Suite("Whose turn comes next")
struct TurnOrderTests {
    @Test("agents go before strangers, those that have waited longest first, and a round is bounded")
    func order() {
        var order = TurnOrder<Int>()
        for number in 0..<100 { order.append(number, of: number % 2 == 1 ? number : nil) }
        let first = order.takeRound()
        #expect(first == (0..<16).map { 2 * $0 + 1 } + [0, 2, 4, 6])
        let second = order.takeRound()
        #expect(second == (16..<32).map { 2 * $0 + 1 } + [8, 10, 12, 14])
    }

    @Test("who comes again is behind all others of its kind, and strangers have a turn in every round")
    func fairness() {
        var order = TurnOrder<Int>()
        for number in 0..<64 { order.append(number, of: 7) }
        order.append(1000, of: nil)
        var turns: [Int: Int] = [:]
        for _ in 0..<40 {
            for member in order.takeRound() {
                turns[member, default: 0] += 1
                order.append(member, of: member < 1000 ? 7 : nil)
            }
        }
        #expect((0..<64).allSatisfy { turns[$0] == 10 })
        #expect(turns[1000] == 40)
    }

    @Test("an agent with one connection has its turn in the next round, however many connections another has")
    func manyConnections() {
        var order = TurnOrder<Int>()
        for number in 0..<400 { order.append(number, of: 1) }
        order.append(1000, of: 2)
        let first = order.takeRound()
        #expect(first.count == 16 && first.prefix(2) == [0, 1000])
        let second = order.takeRound()
        #expect(second == Array(15..<31))
        while !order.isEmpty { _ = order.takeRound() }
        order.append(5, of: 1)
        let last = order.takeRound()
        #expect(last == [5] && order.isEmpty)
    }

    @Test("a few requests of an agent begin within one millisecond, and as many of every other")
    func atOnce() {
        var begun = BegunRequests()
        for agent in 1...2 {
            let granted = (0..<10).count { _ in begun.mayBegin(agent: agent, at: 5) }
            #expect(granted == BegunRequests.limit)
        }
        let isLater = begun.mayBegin(agent: 1, at: 6)
        #expect(isLater)
    }
}
