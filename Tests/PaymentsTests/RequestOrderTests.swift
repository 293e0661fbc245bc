import Primitives
import TestSupport
import Testing

@testable import Payments

@Suite("The order of identical requests")
struct RequestOrderTests {
    private typealias Order = RequestOrder<String>

    /// An answer that can be compared.
    private struct Told: Equatable {
        let who: String
        let number: Int?
    }

    private func told(_ answers: [Order.Answer]) -> [Told] { answers.map { Told(who: $0.waiter, number: $0.number) } }

    @Test("a turn passes from one caller to the next in their order, and each has one")
    func turns() {
        var order = Order()
        var answers = order.ask("0") { false }
        for caller in 1..<64 { #expect(order.ask("\(caller)") { false }.isEmpty) }
        for caller in 0..<64 {
            #expect(told(answers) == [Told(who: "\(caller)", number: caller + 1)])
            answers = order.endTurn(caller + 1)
            // Said twice, it hands on nothing.
            #expect(order.endTurn(caller + 1).isEmpty)
        }
        #expect(answers.isEmpty)
        for caller in 0..<64 { #expect(order.endDecision(caller + 1).isEmpty) }
        #expect(order.isIdle)
    }

    @Test("a decision that joins goes on once what was announced during its turn has its place")
    func places() {
        var order = Order()
        #expect(order.begin { false } == 1)
        #expect(told(order.awaitPlaces(1, for: "joins")) == [Told(who: "joins", number: 1)])
        order.announce()
        order.announce()
        #expect(order.awaitPlaces(1, for: "joins").isEmpty)
        let first = order.place()
        #expect(first.answers.isEmpty)
        #expect(told(order.end(nil, isKept: false)) == [Told(who: "joins", number: 1)])
        #expect(order.end(first.number, isKept: false).isEmpty)
        #expect(order.endDecision(1).isEmpty)
        #expect(order.isIdle)
    }

    @Test("a turn is granted at once where no caller has to wait, and only there")
    func atOnce() {
        var order = Order()
        #expect(order.begin { false } == 1)
        #expect(order.begin { false } == nil)
        #expect(order.ask("waits") { false }.isEmpty)
        order.announce()
        #expect(order.endDecision(1).isEmpty)
        #expect(order.begin { false } == nil)
        let (outcome, answers) = order.place()
        #expect(told(answers) == [Told(who: "waits", number: 3)])
        #expect(!order.isConfirmed(3))
        #expect(order.end(outcome, isKept: false).isEmpty)
        #expect(order.isConfirmed(3))
        _ = order.endTurn(3)
        #expect(order.begin { true } == 4)
        _ = order.endTurn(4)
        #expect(order.begin { false } == nil)
    }

    @Test("a decision that ends passes its turn on")
    func shortDecision() {
        var order = Order()
        _ = order.ask("first") { false }
        _ = order.ask("second") { false }
        #expect(told(order.endDecision(1)) == [Told(who: "second", number: 2)])
    }

    @Test("a turn waits until what is announced has its place, and the signature until it is booked")
    func outcomes() {
        var order = Order()
        order.announce()
        order.announce()
        #expect(order.ask("next") { false }.isEmpty)
        let (first, early) = order.place()
        #expect(early.isEmpty)
        let (second, answers) = order.place()
        #expect(told(answers) == [Told(who: "next", number: second + 1)])
        // What has its place after the turn is no matter of this decision.
        order.announce()
        let (late, _) = order.place()
        #expect(order.endTurn(second + 1).isEmpty)
        #expect(order.confirm(second + 1, for: "next").isEmpty)
        #expect(order.end(second, isKept: false).isEmpty)
        #expect(told(order.end(first, isKept: false)) == [Told(who: "next", number: second + 1)])
        #expect(order.endDecision(second + 1).isEmpty)
        #expect(!order.isIdle)
        #expect(order.end(late, isKept: false).isEmpty)
        #expect(order.isIdle)
    }

    @Test("an outcome that is dropped before it has a place delays no caller any longer")
    func dropped() {
        var order = Order()
        order.announce()
        _ = order.ask("next") { false }
        #expect(told(order.end(nil, isKept: false)) == [Told(who: "next", number: 1)])
    }

    @Test("while an outcome is kept, every caller is refused")
    func kept() {
        var order = Order()
        order.announce()
        let (outcome, _) = order.place()
        _ = order.ask("decides") { false }
        _ = order.ask("waits") { false }
        #expect(order.confirm(2, for: "signs").isEmpty)
        let sentAway = [Told(who: "signs", number: nil), Told(who: "waits", number: nil)]
        #expect(told(order.end(outcome, isKept: true)) == sentAway)
        #expect(!order.isConfirmed(2))
        #expect(told(order.confirm(2, for: "signs later")) == [Told(who: "signs later", number: nil)])
        #expect(order.endDecision(2).isEmpty)
        #expect(told(order.ask("comes later") { false }) == [Told(who: "comes later", number: nil)])
        #expect(!order.isIdle)
        order.release()
        #expect(order.isIdle)
        #expect(order.ask("comes again") { false }.first?.number != nil)
    }

    @Test("no turn is granted while a decision is running whose agent has left")
    func departure() {
        let hasLeft = Switch()
        var order = Order()
        _ = order.ask("leaves") { hasLeft.isOn }
        _ = order.ask("beside") { false }
        // Its agent is connected, and it is decided beside.
        #expect(told(order.endTurn(1)) == [Told(who: "beside", number: 2)])
        hasLeft.turnOn()
        #expect(order.endTurn(2).isEmpty)
        #expect(order.ask("repeats") { false }.isEmpty)
        #expect(order.endDecision(2).isEmpty)
        // What became of it is announced before the decision ends.
        order.announce()
        #expect(order.endDecision(1).isEmpty)
        let (outcome, answers) = order.place()
        #expect(told(answers) == [Told(who: "repeats", number: outcome + 1)])
    }

    @Test("in any order of events each caller is answered once, in its turn and not too early", arguments: 0..<50)
    func walk(seed: UInt64) {
        var walk = Walk(seed: seed)
        for _ in 0..<400 { walk.step() }
        walk.finish()
        #expect(walk.complaints.isEmpty, "\(walk.complaints.prefix(3))")
        #expect(walk.answered == walk.asked)
    }
}

/// Random events, and what must hold of the answers.
private struct Walk {
    private let random: SeededRandom
    private var order = RequestOrder<String>()
    private let gone = (0..<1000).map { _ in Switch() }
    private(set) var asked = 0
    private(set) var answered = 0
    private(set) var complaints: [String] = []
    private var announced = 0
    private var placed: [Int] = []
    private var kept = 0
    private var turn: Int?
    /// Who decides, by the number of the turn.
    private var running: [Int: String] = [:]
    private var confirming: [Int: String] = [:]

    init(seed: UInt64) { random = SeededRandom(seed: seed) }

    private func below(_ bound: Int) -> Int { Int(random.word() % UInt64(bound)) }

    mutating func step() {
        switch below(12) {
        case 0, 1, 2: ask()
        case 3:
            announced += 1
            order.announce()
        case 4, 5: place()
        case 6: end(isKept: below(8) == 0)
        case 7:
            guard let turn else { return }
            self.turn = nil
            hear(order.endTurn(turn))
        case 8:
            guard let number = running.keys.sorted().first(where: { confirming[$0] == nil }) else { return }
            confirming[number] = "signature \(number)"
            let isConfirmed = order.isConfirmed(number)
            hear(order.confirm(number, for: "signature \(number)"))
            if isConfirmed, confirming[number] != nil { complaints.append("signature \(number) waits for nothing") }
        case 9: endDecision()
        case 10:
            let callers = running.values.sorted().compactMap(Int.init)
            if !callers.isEmpty { gone[callers[below(callers.count)]].turnOn() }
        default: release()
        }
    }

    /// Ends everything that is under way.
    mutating func finish() {
        while announced > 0 || !placed.isEmpty || kept > 0 || !running.isEmpty {
            while announced > 0 { place() }
            while !placed.isEmpty { end(isKept: false) }
            while kept > 0 { release() }
            if !running.isEmpty { endDecision() }
        }
        if !order.isIdle { complaints.append("something is remembered") }
        if !confirming.isEmpty { complaints.append("a signature was never answered") }
    }

    private mutating func ask() {
        let caller = asked
        let hasLeft = gone[caller]
        asked += 1
        if below(2) == 0, let number = order.begin(hasLeft: { hasLeft.isOn }) { return decides("\(caller)", number) }
        hear(order.ask("\(caller)") { hasLeft.isOn })
    }

    private mutating func place() {
        guard announced > 0 else { return }
        announced -= 1
        let (number, answers) = order.place()
        placed.append(number)
        hear(answers)
    }

    private mutating func end(isKept: Bool) {
        guard !placed.isEmpty else { return }
        let number = placed.remove(at: below(placed.count))
        if isKept { kept += 1 }
        hear(order.end(number, isKept: isKept))
    }

    private mutating func release() {
        guard kept > 0 else { return }
        kept -= 1
        order.release()
    }

    /// Ends the oldest decision that waits for nothing.
    private mutating func endDecision() {
        guard let number = running.keys.sorted().first(where: { confirming[$0] == nil }) else { return }
        running[number] = nil
        if turn == number { turn = nil }
        hear(order.endDecision(number))
    }

    private mutating func hear(_ answers: [RequestOrder<String>.Answer]) {
        for (who, number) in answers {
            if who.hasPrefix("signature") { signs(who, number) } else { decides(who, number) }
        }
    }

    private mutating func signs(_ who: String, _ number: Int?) {
        guard let number = number ?? confirming.first(where: { $0.value == who })?.key else {
            return complaints.append("\(who) is answered and has not asked")
        }
        confirming[number] = nil
        if kept > 0, order.isConfirmed(number) { complaints.append("\(who) is confirmed beside what is kept") }
        if kept == 0, placed.contains(where: { $0 < number }) { complaints.append("\(who) comes too early") }
    }

    private mutating func decides(_ who: String, _ number: Int?) {
        if who != "\(answered)" { complaints.append("\(who) is answered instead of \(answered)") }
        answered += 1
        guard let number else {
            if kept == 0 { complaints.append("\(who) is sent away for nothing") }
            return
        }
        if kept > 0 { complaints.append("\(who) passes what is kept") }
        if announced > 0 { complaints.append("\(who) passes what is announced") }
        if let turn { complaints.append("\(who) takes the turn of \(turn)") }
        for (_, other) in running where Int(other).map({ gone[$0].isOn }) ?? false {
            complaints.append("\(who) passes \(other), whose agent has left")
        }
        turn = number
        running[number] = who
    }
}
