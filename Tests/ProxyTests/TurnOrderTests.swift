import Testing

@testable import Proxy

@Suite("Whose turn comes next")
struct TurnOrderTests {
    @Test("agents go before strangers, those that have waited longest first, and a round is bounded")
    func order() {
        var order = TurnOrder<Int>()
        for number in 0..<100 { order.append(number, isAgent: number % 2 == 1) }
        let first = order.takeRound()
        #expect(first == (0..<16).map { 2 * $0 + 1 } + [0, 2, 4, 6])
        let second = order.takeRound()
        #expect(second == (16..<32).map { 2 * $0 + 1 } + [8, 10, 12, 14])
    }

    @Test("who comes again is behind all others of its kind, and strangers have a turn in every round")
    func fairness() {
        var order = TurnOrder<Int>()
        for number in 0..<64 { order.append(number, isAgent: true) }
        order.append(1000, isAgent: false)
        var turns: [Int: Int] = [:]
        for _ in 0..<40 {
            for member in order.takeRound() {
                turns[member, default: 0] += 1
                order.append(member, isAgent: member < 1000)
            }
        }
        #expect((0..<64).allSatisfy { turns[$0] == 10 })
        #expect(turns[1000] == 40)
    }
}
