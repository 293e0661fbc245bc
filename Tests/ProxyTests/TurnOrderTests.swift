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
            let granted = (0..<10).count { _ in begun.mayBegin(agent: agent, at: 5_999_999) }
            #expect(granted == BegunRequests.limit)
        }
        let isLater = begun.mayBegin(agent: 1, at: 6_000_000)
        #expect(isLater)
    }

    @Test("an agent whose requests take long to read leaves others as much time as it uses, whatever it did before")
    func longReads() {
        var begun = BegunRequests()
        // Requests of half a millisecond each, as many as may begin in a second, after a second without any.
        var (now, used): (Int64, Int64) = (1_000_000_000, 0)
        while now < 2_000_000_000 {
            guard begun.mayBegin(agent: 1, at: now) else {
                now += 10_000
                continue
            }
            now += 500_000
            used += 500_000
            begun.took(500_000, agent: 1, until: now)
            let other = begun.mayBegin(agent: 2, at: now)
            #expect(other)
        }
        #expect((490_000_000...511_000_000).contains(used), "\(used)")
        // Many others are not remembered for ever, and one is while it owes time.
        for agent in 10..<10_000 { begun.took(1, agent: agent, until: now + Int64(agent)) }
        begun.took(9_000_000, agent: 1, until: now + 9_000_000)
        for agent in 10..<10_000 { begun.took(1, agent: agent, until: now + 10_000_000 + Int64(agent)) }
        let isEven = begun.mayBegin(agent: 1, at: now + 10_000_000)
        #expect(!isEven)
    }

    @Test("those for which a round had no time come first of their agents in the next one")
    func putBack() {
        var order = TurnOrder<Int>()
        for number in 0..<40 { order.append(number, of: number % 3) }
        let first = order.takeRound()
        order.append(1000, of: 5)
        order.putBack(first.dropFirst(10).map { ($0, $0 % 3) })
        let second = order.takeRound()
        // Agents take turns all the same.
        #expect(second.prefix(7) == [10, 11, 12, 1000, 13, 14, 15])
        #expect(Set(second).isDisjoint(with: first.prefix(10)))
        var all = Set(first.prefix(10)).union(second)
        while !order.isEmpty { all.formUnion(order.takeRound()) }
        #expect(all == Set(0..<40).union([1000]))
    }
}
