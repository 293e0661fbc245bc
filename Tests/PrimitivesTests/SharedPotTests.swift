import Synchronization
import TestSupport
import Testing

@testable import Primitives

/// A holder whose progress and protection a test sets.
private struct Held: UnitHolder {
    var lastProgress: Int64
    var mayBeEnded = true
}

@Suite("How a pot is divided")
struct ShareRuleTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let total: Int
        let agents: Int
        let share: Int
        let lendable: Int
        var testDescription: String { "\(total) units, \(agents) agents" }
    }

    @Test(
        "a share is the total by the active agents, at least one unit, and never a part of the last quarter alone",
        arguments: [
            // One agent alone leaves a quarter, of a pot that has one.
            Row(total: 1, agents: 1, share: 1, lendable: 1), Row(total: 2, agents: 1, share: 2, lendable: 2),
            Row(total: 3, agents: 1, share: 3, lendable: 3), Row(total: 4, agents: 1, share: 3, lendable: 3),
            Row(total: 40, agents: 1, share: 30, lendable: 30), Row(total: 41, agents: 1, share: 31, lendable: 31),
            Row(total: 40, agents: 0, share: 30, lendable: 30),
            // Several agents.
            Row(total: 40, agents: 2, share: 20, lendable: 30), Row(total: 40, agents: 3, share: 13, lendable: 30),
            Row(total: 40, agents: 40, share: 1, lendable: 30),
            // More agents than units.
            Row(total: 40, agents: 41, share: 1, lendable: 30), Row(total: 1, agents: 7, share: 1, lendable: 1),
            // Bytes.
            Row(total: 256 << 20, agents: 3, share: 89_478_485, lendable: 192 << 20),
            Row(total: Int.max, agents: 1, share: Int.max - Int.max / 4, lendable: Int.max - Int.max / 4),
        ])
    func shares(row: Row) {
        let rule = ShareRule(total: row.total)
        #expect(rule.share(among: row.agents) == row.share)
        #expect(rule.lendable == row.lendable)
    }

    @Test("an agent alone never holds the last quarter, so that the next one finds room at once")
    func newcomer() {
        for total in 1...200 {
            let rule = ShareRule(total: total)
            var alone = 0
            while rule.answer(to: 1, held: alone, used: alone, among: 1) == .granted { alone += 1 }
            #expect(alone == total - total / 4)
            var used = alone
            var next = 0
            while rule.answer(to: 1, held: next, used: used, among: 2) == .granted {
                (next, used) = (next + 1, used + 1)
            }
            #expect(next == min(max(1, total / 2), total / 4), "\(total)")
            #expect(total < 4 || next > 0)
        }
    }

    @Test("each of as many agents as are active gets its whole share of a pot of which nothing is lent")
    func guarantees() {
        for total in 1...60 {
            for agents in 2...(total + 3) {
                let rule = ShareRule(total: total)
                var held = [Int](repeating: 0, count: agents)
                for agent in held.indices.reversed() {
                    while held[agent] < rule.share(among: agents),
                        rule.answer(to: 1, held: held[agent], used: held.reduce(0, +), among: agents) == .granted
                    {
                        held[agent] += 1
                    }
                }
                let whole = held.count { $0 == rule.share(among: agents) }
                #expect(whole == min(agents, total), "\(total) units, \(agents) agents")
            }
        }
    }

    @Test("a weight that does not fit is refused, however large")
    func large() {
        let rule = ShareRule(total: 100)
        #expect(rule.answer(to: 101, held: 0, used: 0, among: 1) == .notLent)
        #expect(rule.answer(to: .max, held: 10, used: 20, among: 2) == .notLent)
        #expect(rule.answer(to: 50, held: 0, used: 51, among: 2) == .shareIsLent)
        #expect(rule.answer(to: 50, held: 0, used: 50, among: 2) == .granted)
        #expect(rule.answer(to: 1, held: 50, used: 75, among: 2) == .notLent)
        #expect(rule.answer(to: 1, held: 50, used: 74, among: 2) == .granted)
        // A pot that was made smaller than what is in use.
        #expect(rule.answer(to: 1, held: 0, used: 140, among: 2) == .shareIsLent)
    }
}

@Suite("Who holds units of a pot, and who gives them back")
struct SharedPotTests {
    private typealias Pot = SharedPot<Held>

    private func take(_ weight: Int, of pot: inout SharedPot<Held>, for agent: Int, since: Int64, among agents: Int)
        -> PotPlace
    {
        let place = pot.add(Held(lastProgress: since), of: agent)
        #expect(pot.take(weight, at: place, among: agents) == .granted)
        return place
    }

    @Test("what is taken back is borrowed, the longest without progress and for ten seconds at least")
    func stalled() {
        var pot = Pot(total: 8)
        // Agent 0 borrows: six of eight, two above its share among two.
        let places = (0..<6).map { take(1, of: &pot, for: 0, since: Int64(100 * (6 - $0)), among: 1) }
        let place = pot.add(Held(lastProgress: 0), of: 1)
        #expect(pot.take(3, at: place, among: 2) == .shareIsLent)
        #expect(pot.stalled(for: 1, among: 2, at: 10_099) { _ in true } == nil)
        #expect(pot.stalled(for: 1, among: 2, at: 10_100) { _ in true } == places[5])
        #expect(pot.remove(at: places[5])?.lastProgress == 100)
        #expect(pot.take(3, at: place, among: 2) == .granted)
        #expect(pot.held(by: 0) == 5 && pot.used == 8)
        // Agent 1 has its fourth from the other one that agent 0 borrowed, and there is nothing borrowed then.
        #expect(pot.take(1, at: place, among: 2) == .shareIsLent)
        #expect(pot.stalled(for: 1, among: 2, at: 99_999) { _ in true } == places[4])
        pot.remove(at: places[4])
        pot.giveBack(1, at: places[4])
        #expect(pot.take(1, at: places[4], among: 1) == .notLent)
        #expect(pot.take(1, at: place, among: 2) == .granted)
        #expect(pot.stalled(for: 1, among: 2, at: 99_999) { _ in true } == nil)
        // What agents hold that are not active is borrowed.
        #expect(pot.stalled(for: 1, among: 2, at: 99_999) { $0 != 0 } == places[3])
        #expect(pot.stalled(for: 0, among: 2, at: 99_999) { $0 != 0 } == nil)
        #expect(pot.lent(among: 2) { $0 != 0 } == 4 && pot.lent(among: 2) { _ in true } == 0)
    }

    @Test("after a search that found nothing none is made for a moment, whichever agent asks")
    func searches() {
        var pot = Pot(total: 8)
        let places = (0..<6).map { _ in take(1, of: &pot, for: 0, since: 100, among: 1) }
        let early = pot.reclaim(for: 1, among: 2, at: 10_050) { _ in true }
        let suppressed = pot.reclaim(for: 2, among: 2, at: 10_149) { _ in true }
        #expect(early == nil && suppressed == nil && pot.takenBack == 0)
        let found = pot.reclaim(for: 2, among: 2, at: 10_150) { _ in true }
        #expect(found == places[0] && pot.takenBack == 1)
        // What was found is followed by another search at once.
        pot.remove(at: places[0])
        let next = pot.reclaim(for: 1, among: 2, at: 10_150) { _ in true }
        #expect(next == places[1] && pot.takenBack == 2)
    }

    @Test(
        "ten thousand small holders are ended for one large wish with one search, and none that made progress meanwhile"
    )
    func manySmall() {
        var pot = SharedPot<Counted>(total: 20_000)
        let reads = Counted.Reads()
        let facts = (0..<15_000).map { Replaceable(Held(lastProgress: Int64($0 % 100))) }
        var numbers: [PotPlace: Int] = [:]
        for (number, fact) in facts.enumerated() {
            let place = pot.add(Counted(facts: fact, reads: reads), of: 0)
            _ = pot.take(1, at: place, among: 1)
            numbers[place] = number
        }
        let wanting = pot.add(Counted(facts: Replaceable(Held(lastProgress: 20_000)), reads: reads), of: 1)
        var ended = 0
        while pot.take(9_000, at: wanting, among: 2) == .shareIsLent {
            guard let found = pot.reclaim(for: 1, among: 2, at: 20_000, isActive: { _ in true }) else { break }
            pot.remove(at: found)
            if ended >= 10 { #expect(!(100..<5_000).contains(numbers[found] ?? 0)) }
            ended += 1
            // Those that are next make progress while the first are ended.
            if ended == 10 { for fact in facts[100..<5_000] { fact.replace(with: Held(lastProgress: 20_000)) } }
        }
        #expect(ended == 4_000)
        #expect(reads.count < 100_000, "\(reads.count)")
        #expect(pot.held(by: 1) == 9_000)
    }

    @Test("what a payment protects is not taken back")
    func protected() {
        var pot = Pot(total: 4)
        let paid = pot.add(Held(lastProgress: 0, mayBeEnded: false), of: 0)
        #expect(pot.take(3, at: paid, among: 1) == .granted)
        #expect(pot.stalled(for: 1, among: 2, at: 99_999) { _ in true } == nil)
    }

    /// What the reference model knows of a holder.
    private struct Fact {
        let agent: Int
        var weight: Int
        var progress: Int64
        var mayBeEnded: Bool
    }

    /// A holder of the random runs, whose facts change under the pot.
    private struct Watched: UnitHolder {
        let facts: Replaceable<Held>
        var lastProgress: Int64 { facts.current.lastProgress }
        var mayBeEnded: Bool { facts.current.mayBeEnded }
    }

    /// A holder that counts how often its progress is asked for.
    private struct Counted: UnitHolder {
        final class Reads: Sendable {
            private let number = Atomic<Int>(0)
            var count: Int { number.load(ordering: .relaxed) }
            func add() { number.wrappingAdd(1, ordering: .relaxed) }
        }

        let facts: Replaceable<Held>
        let reads: Reads
        var lastProgress: Int64 {
            reads.add()
            return facts.current.lastProgress
        }
        var mayBeEnded: Bool { facts.current.mayBeEnded }
    }

    @Test("random sequences agree with a model that adds everything up each time", arguments: 0..<16)
    func model(seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        func below(_ bound: Int) -> Int { Int(random.word() % UInt64(bound)) }
        func any<Element>(_ elements: [Element]) -> Element? {
            elements.isEmpty ? nil : elements[below(elements.count)]
        }
        let total = [1, 2, 3, 4, 7, 16, 40, 1 << 20][Int(seed) % 8]
        let largest = total > 1000 ? total / 5 : 1
        var pot = SharedPot<Watched>(total: total)
        var model: [PotPlace: Fact] = [:]
        var watched: [PotPlace: Replaceable<Held>] = [:]
        var now: Int64 = 0
        // Before it nothing is searched, since a search found nothing.
        var nextSearch: Int64 = 0
        for _ in 0..<600 {
            now += 1 + Int64(below(900))
            let active = Set((0..<6).filter { _ in below(3) > 0 })
            let agents = max(1, active.count)
            func held(_ agent: Int) -> Int { model.values.filter { $0.agent == agent }.reduce(0) { $0 + $1.weight } }
            let used = model.values.reduce(0) { $0 + $1.weight }
            switch below(9) {
            case 0...3:
                let agent = any(active.sorted()) ?? 0
                let weight = 1 + below(largest)
                let fact = Fact(agent: agent, weight: 0, progress: now, mayBeEnded: below(4) > 0)
                let facts = Replaceable(Held(lastProgress: fact.progress, mayBeEnded: fact.mayBeEnded))
                let place = pot.add(Watched(facts: facts), of: agent)
                #expect(model[place] == nil)
                model[place] = fact
                watched[place] = facts
                let share = max(1, min(total / agents, total - total / 4))
                let fitsShare = held(agent) + weight <= share
                let fitsPot = used + weight <= total
                let fitsLendable = used + weight <= total - total / 4
                let answer = pot.take(weight, at: place, among: agents)
                #expect((answer == .granted) == (fitsShare && fitsPot || fitsLendable))
                #expect((answer == .shareIsLent) == (fitsShare && !fitsPot && !fitsLendable))
                if answer == .granted { model[place]?.weight = weight }
                if answer == .shareIsLent {
                    // All that may be taken back, one after the other.
                    var found: PotPlace?
                    repeat {
                        let borrowed = model.filter { _, other in
                            other.agent != agent && other.weight > 0 && other.mayBeEnded
                                && now - other.progress >= 10_000
                                && (held(other.agent) > share || !active.contains(other.agent))
                        }
                        let oldest = borrowed.values.map(\.progress).min()
                        if oldest == nil, now >= nextSearch { nextSearch = now + 100 }
                        found = pot.reclaim(for: agent, among: agents, at: now) { active.contains($0) }
                        #expect(found.flatMap { borrowed[$0]?.progress } == (now < nextSearch ? nil : oldest))
                        if let found {
                            pot.remove(at: found)
                            model[found] = nil
                            watched[found] = nil
                        }
                    } while found != nil
                }
            case 4:
                guard
                    let place = any(
                        model.sorted { ($0.value.progress, $0.value.agent) < ($1.value.progress, $1.value.agent) }.map(
                            \.key))
                else { break }
                let weight = below(largest + 1)
                pot.giveBack(weight, at: place)
                if let before = model[place]?.weight { model[place]?.weight = max(0, before - weight) }
            case 5...6:
                guard
                    let place = any(
                        model.sorted { ($0.value.progress, $0.value.agent) < ($1.value.progress, $1.value.agent) }.map(
                            \.key))
                else { break }
                pot.remove(at: place)
                model[place] = nil
                watched[place] = nil
            default:
                guard
                    let place = any(
                        model.sorted { ($0.value.progress, $0.value.agent) < ($1.value.progress, $1.value.agent) }.map(
                            \.key))
                else { break }
                model[place]?.progress = now
                if let fact = model[place] {
                    watched[place]?.replace(with: Held(lastProgress: now, mayBeEnded: fact.mayBeEnded))
                }
            }
            #expect(pot.used == model.values.reduce(0) { $0 + $1.weight } && pot.used <= total)
            for agent in 0..<6 { #expect(pot.held(by: agent) == held(agent)) }
        }
        for place in model.keys { pot.remove(at: place) }
        #expect(pot.used == 0 && pot.holdings.isEmpty)
    }
}

@Suite("A pot that is shared by threads")
struct PotTests {
    private let agents = ActiveAgents()

    @Test("an agent counts for a minute after its last request, and while one is under way")
    func active() {
        let (first, second) = (agents.agent(named: "first"), agents.agent(named: "second"))
        #expect(agents.count(at: 0) == 1)
        first.hadRequest(at: 0)
        #expect(agents.count(at: 0) == 1)
        second.requestBegan(at: 10)
        #expect(agents.count(at: 10) == 2)
        #expect(agents.count(at: 59_999) == 2 && agents.count(at: 61_000) == 1)
        #expect(!first.isActive(at: 61_000) && second.isActive(at: 600_000))
        first.hadRequest(at: 600_000)
        #expect(agents.count(at: 600_000) == 2)
        second.requestEnded(at: 600_500)
        #expect(agents.count(at: 659_900) == 2)
        #expect(agents.count(at: 661_000) == 1 && !second.isActive(at: 660_500))
        #expect(agents.agent(named: "first") === first)
    }

    @Test("holders that were taken back are ended once, get nothing more, and give nothing back twice")
    func takenBack() {
        let pot = Pot("lab", .count, total: 4, agents: agents)
        let (hostile, honest) = (agents.agent(named: "hostile"), agents.agent(named: "honest"))
        hostile.hadRequest(at: 0)
        let ended = Counter()
        let progress = (0..<4).map { _ in HolderProgress(at: 0) }
        let holders = progress.map { PotHolder(hostile, $0) { ended.add() } }
        #expect(holders.map { pot.take(1, for: $0, at: 0) } == [true, true, true, false])
        honest.hadRequest(at: 1)
        let mine = (0..<2).map { _ in PotHolder(honest, HolderProgress(at: 1)) {} }
        #expect(pot.take(1, for: mine[0], at: 1))
        #expect(!pot.take(1, for: mine[1], at: 9_000) && ended.count == 0)
        progress[0].protect(true)
        progress[1].made(at: 5_000)
        #expect(pot.take(1, for: mine[1], at: 10_000) && ended.count == 1)
        #expect(!pot.take(1, for: holders[2], at: 10_000))
        pot.remove(holders[2])
        pot.giveBack(1, of: holders[2])
        let snapshot = pot.snapshot(at: 10_000)
        #expect(snapshot.used == 4 && snapshot.takenBack == 1 && snapshot.refused == 3 && snapshot.lent == 0)
        #expect(snapshot.top == [.init(agent: "hostile", held: 2), .init(agent: "honest", held: 2)])
        for holder in holders + mine {
            pot.remove(holder)
            pot.remove(holder)
        }
        #expect(pot.snapshot(at: 10_000).used == 0)
    }

    private final class Counter: Sendable {
        private let value = Replaceable(0)
        var count: Int { value.current }
        func add() { value.replace(with: value.current + 1) }
    }
}
