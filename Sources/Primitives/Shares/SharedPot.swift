/// A pot of units and who holds them, as a value: wishes in, answers out.
///
/// It ends nothing and reads no clock: it says which holder is to be ended, and whoever owns the pot does it. Agents are
/// known by their number, holders by the place that they were given; a place that was given up names nothing any more.
package struct SharedPot<Holder: UnitHolder>: Sendable {
    /// How long a holder must have been without progress before what it borrowed is taken back, in milliseconds.
    package static var patience: Int64 { 10_000 }
    /// How long the holders are not searched after a search that found nothing, in milliseconds.
    private static var pause: Int64 { 100 }

    /// By which it is divided.
    package private(set) var rule: ShareRule
    /// Units in use.
    package private(set) var used = 0
    /// How often a wish was refused.
    package private(set) var refused: UInt64 = 0
    /// How many holders were to be ended.
    package private(set) var takenBack: UInt64 = 0
    /// Units in use by agent number.
    private var held: [Int] = []
    private var places: [Entry] = []
    private var freePlaces: [UInt32] = []
    /// When the holders may be searched again.
    private var nextSearch = Int64.min
    /// What the last search found that was not ended yet, the one without progress for longest last.
    private var candidates = Candidates()

    /// Holders that one search found, for one agent and moment: many small ones are ended with one search.
    private struct Candidates: Sendable {
        var agent = -1
        var time = Int64.min
        var areFound = false
        var places: [PotPlace] = []
    }

    private struct Entry: Sendable {
        var holder: Holder?
        var agent = 0
        var weight = 0
        /// How often the place was given up: a name from before that names nothing.
        var generation: UInt32 = 0
    }

    /// Begins with an empty pot.
    package init(total: Int) {
        rule = ShareRule(total: total)
    }

    /// Makes the pot larger or smaller; what is in use stays in use.
    package mutating func resize(to total: Int) { rule = ShareRule(total: total) }

    /// How much an agent holds.
    package func held(by agent: Int) -> Int { held.indices.contains(agent) ? held[agent] : 0 }

    /// What each agent holds that holds anything, by number.
    package var holdings: [(agent: Int, held: Int)] {
        held.enumerated().filter { $0.element > 0 }.map { (agent: $0.offset, held: $0.element) }
    }

    /// How many agents hold anything, or would if `agent` took something now.
    package func holders(with agent: Int) -> Int {
        held.count { $0 > 0 } + (held(by: agent) == 0 ? 1 : 0)
    }

    /// How many units are held by agents above their share, which is 0 for those that are not active.
    package func lent(among agents: Int, isActive: (Int) -> Bool) -> Int {
        let share = rule.share(among: agents)
        return held.enumerated().reduce(0) { $0 + max(0, $1.element - (isActive($1.offset) ? share : 0)) }
    }

    /// Takes in a holder, without units; returns its place.
    package mutating func add(_ holder: Holder, of agent: Int) -> PotPlace {
        if agent >= held.count { held.append(contentsOf: repeatElement(0, count: agent - held.count + 1)) }
        let index = freePlaces.popLast() ?? UInt32(places.count)
        if index == places.count { places.append(Entry()) }
        places[Int(index)].holder = holder
        places[Int(index)].agent = agent
        return PotPlace(index: index, generation: places[Int(index)].generation)
    }

    private func index(of place: PotPlace) -> Int? {
        let index = Int(place.index)
        return places.indices.contains(index) && places[index].generation == place.generation ? index : nil
    }

    /// How many units a holder has; 0 once it is gone.
    package func weight(at place: PotPlace) -> Int { index(of: place).map { places[$0].weight } ?? 0 }

    /// What `take` would answer, where `agents` are active.
    package func answer(to weight: Int, by agent: Int, among agents: Int) -> ShareRule.Answer {
        rule.answer(to: weight, held: held(by: agent), used: used, among: agents)
    }

    /// Takes units for a holder, where `agents` are active; only a grant changes what is held, and a holder that is gone
    /// gets nothing.
    package mutating func take(_ weight: Int, at place: PotPlace, among agents: Int) -> ShareRule.Answer {
        guard let index = index(of: place) else { return .notLent }
        let agent = places[index].agent
        let answer = answer(to: weight, by: agent, among: agents)
        guard answer == .granted else { return answer }
        used += weight
        held[agent] += weight
        places[index].weight += weight
        return .granted
    }

    /// A wish was refused for good.
    package mutating func countRefusal() { refused += 1 }

    /// Puts some of a holder's units back.
    package mutating func giveBack(_ weight: Int, at place: PotPlace) {
        guard let index = index(of: place) else { return }
        let weight = min(weight, places[index].weight)
        used -= weight
        held[places[index].agent] -= weight
        places[index].weight -= weight
    }

    /// A holder is gone, and its units are back; called as often as one likes.
    ///
    /// Returns the holder.
    @discardableResult
    package mutating func remove(at place: PotPlace) -> Holder? {
        guard let index = index(of: place) else { return nil }
        giveBack(places[index].weight, at: place)
        let holder = places[index].holder
        places[index] = Entry(generation: places[index].generation &+ 1)
        freePlaces.append(place.index)
        return holder
    }

    /// Finds the holder that is to be ended so that `agent` gets units of its share, and counts it as taken back.
    ///
    /// Called after `take` answered `shareIsLent`: the agent is below its share then, so a search finds the same holders for
    /// every such agent. After a search that found nothing, none is made for 100 ms, whichever agent asks.
    package mutating func reclaim(
        for agent: Int, among agents: Int, at now: Int64, isActive: (Int) -> Bool
    ) -> PotPlace? {
        guard now >= nextSearch else { return nil }
        if candidates.agent != agent || candidates.time != now {
            // One is enough for most; only those that want more at once have all of them put in order.
            candidates = Candidates(agent: agent, time: now)
            let place = stalled(for: agent, among: agents, at: now, isActive: isActive)
            if place == nil { nextSearch = now + Self.pause } else { takenBack += 1 }
            return place
        }
        if !candidates.areFound {
            candidates.places = search(for: agent, among: agents, at: now, isActive: isActive)
            candidates.areFound = true
        }
        let share = rule.share(among: agents)
        while let place = candidates.places.popLast() {
            // What was ended since the search may have left its agent with no more than its share.
            guard let index = index(of: place), isStalled(places[index], at: now),
                held[places[index].agent] > share || !isActive(places[index].agent)
            else { continue }
            takenBack += 1
            return place
        }
        nextSearch = now + Self.pause
        return nil
    }

    /// Whether an entry holds something, may be ended, and has made no progress for long enough.
    private func isStalled(_ entry: Entry, at now: Int64) -> Bool {
        guard entry.weight > 0, let holder = entry.holder, holder.mayBeEnded else { return false }
        return holder.lastProgress <= now - Self.patience
    }

    /// The holder whose units another agent may have back: of those that hold borrowed units and may be ended, the one
    /// that has made no progress for longest, and for ``patience`` at least.
    ///
    /// An agent that is not active has no share, and all that it holds is borrowed. Nothing of `agent` itself is found.
    package func stalled(for agent: Int, among agents: Int, at now: Int64, isActive: (Int) -> Bool) -> PotPlace? {
        var found: PotPlace?
        var oldest = Int64.max
        forEachStalled(for: agent, among: agents, at: now, isActive) { place, progress in
            guard progress < oldest else { return }
            (found, oldest) = (place, progress)
        }
        return found
    }

    /// All holders whose units another agent may have back, the one that has made no progress for longest last.
    private func search(for agent: Int, among agents: Int, at now: Int64, isActive: (Int) -> Bool) -> [PotPlace] {
        var found: [(place: PotPlace, progress: Int64)] = []
        forEachStalled(for: agent, among: agents, at: now, isActive) { found.append(($0, $1)) }
        return found.sorted { ($0.progress, $0.place.index) > ($1.progress, $1.place.index) }.map(\.place)
    }

    private func forEachStalled(
        for agent: Int, among agents: Int, at now: Int64, _ isActive: (Int) -> Bool, _ body: (PotPlace, Int64) -> Void
    ) {
        let share = rule.share(among: agents)
        let isBorrower = held.enumerated().map { other, held in
            other != agent && held > 0 && (held > share || !isActive(other))
        }
        guard isBorrower.contains(true) else { return }
        for (index, entry) in places.enumerated() where isBorrower[entry.agent] && isStalled(entry, at: now) {
            body(PotPlace(index: UInt32(index), generation: entry.generation), entry.holder?.lastProgress ?? now)
        }
    }

    /// What holds units at a place; nil once it is gone.
    package func holder(at place: PotPlace) -> Holder? { index(of: place).flatMap { places[$0].holder } }
}

/// The place of one holder in a pot.
package struct PotPlace: Hashable, Sendable {
    fileprivate let index: UInt32
    fileprivate let generation: UInt32
}

/// What holds units of a pot: an upload, a connection, a request, a remembered thing.
package protocol UnitHolder: Sendable {
    /// When it made progress last, in milliseconds of the pot's clock.
    var lastProgress: Int64 { get }
    /// Whether it may be ended: never while a payment of it is reserved or sent.
    var mayBeEnded: Bool { get }
}
