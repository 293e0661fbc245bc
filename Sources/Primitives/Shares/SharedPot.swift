/// A pot of units and who holds them, as a value: wishes in, answers out.
///
/// It ends nothing and reads no clock: it says which holder is to be ended, and whoever owns the pot does it. Agents are
/// known by their number, holders by the place that they were given.
package struct SharedPot<Holder: UnitHolder>: Sendable {
    /// How long a holder must have been without progress before what it borrowed is taken back, in milliseconds.
    package static var patience: Int64 { 10_000 }

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
    private var places: [Place] = []
    private var freePlaces: [Int] = []

    private struct Place: Sendable {
        var holder: Holder?
        var agent = 0
        var weight = 0
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

    /// How many units are held by agents above their share, which is 0 for those that are not active.
    package func lent(among agents: Int, isActive: (Int) -> Bool) -> Int {
        let share = rule.share(among: agents)
        return held.enumerated().reduce(0) { $0 + max(0, $1.element - (isActive($1.offset) ? share : 0)) }
    }

    /// Takes in a holder, without units; returns its place.
    package mutating func add(_ holder: Holder, of agent: Int) -> Int {
        if agent >= held.count { held.append(contentsOf: repeatElement(0, count: agent - held.count + 1)) }
        let place = Place(holder: holder, agent: agent)
        guard let index = freePlaces.popLast() else {
            places.append(place)
            return places.count - 1
        }
        places[index] = place
        return index
    }

    /// Takes units for a holder, where `agents` are active; only a grant changes what is held.
    package mutating func take(_ weight: Int, at place: Int, among agents: Int) -> ShareRule.Answer {
        let agent = places[place].agent
        let answer = rule.answer(to: weight, held: held[agent], used: used, among: agents)
        guard answer == .granted else { return answer }
        used += weight
        held[agent] += weight
        places[place].weight += weight
        return .granted
    }

    /// A wish was refused for good.
    package mutating func countRefusal() { refused += 1 }

    /// Puts some of a holder's units back.
    package mutating func giveBack(_ weight: Int, at place: Int) {
        let weight = min(weight, places[place].weight)
        used -= weight
        held[places[place].agent] -= weight
        places[place].weight -= weight
    }

    /// A holder is gone, and its units are back.
    package mutating func remove(at place: Int) {
        giveBack(places[place].weight, at: place)
        places[place] = Place()
        freePlaces.append(place)
    }

    /// The holder whose units another agent may have back: of those that hold borrowed units and may be ended, the one
    /// that has made no progress for longest, and for ``patience`` at least.
    ///
    /// An agent that is not active has no share, and all that it holds is borrowed. Nothing of `agent` itself is found.
    package func stalled(
        for agent: Int, among agents: Int, at now: Int64, isActive: (Int) -> Bool
    ) -> Int? {
        let share = rule.share(among: agents)
        let isBorrower = held.enumerated().map { other, held in
            other != agent && held > 0 && (held > share || !isActive(other))
        }
        guard isBorrower.contains(true) else { return nil }
        var found: Int?
        var oldest = now - Self.patience
        for (index, place) in places.enumerated() where place.weight > 0 && isBorrower[place.agent] {
            guard let holder = place.holder, holder.mayBeEnded else { continue }
            let progress = holder.lastProgress
            guard progress < oldest || progress == oldest && found == nil else { continue }
            (found, oldest) = (index, progress)
        }
        return found
    }

    /// Takes back what a holder has, which is to be ended; its place is free.
    package mutating func takeBack(at place: Int) -> Holder? {
        let holder = places[place].holder
        takenBack += 1
        remove(at: place)
        return holder
    }

    /// What of the oldest holder of an agent there is, by last progress; nil where it has none with units.
    package func oldest(of agent: Int, except place: Int) -> Int? {
        places.indices.filter { places[$0].agent == agent && places[$0].weight > 0 && $0 != place }
            .min { (places[$0].holder?.lastProgress ?? 0) < (places[$1].holder?.lastProgress ?? 0) }
    }
}

/// What holds units of a pot: an upload, a connection, a request, a remembered thing.
package protocol UnitHolder: Sendable {
    /// When it made progress last, in milliseconds of the pot's clock.
    var lastProgress: Int64 { get }
    /// Whether it may be ended: never while a payment of it is reserved or sent.
    var mayBeEnded: Bool { get }
}
