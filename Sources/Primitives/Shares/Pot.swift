import Synchronization

/// A pot that several threads take from: one short lock around a ``SharedPot``, and the ending of holders outside of it.
package final class Pot: Sendable {
    /// Its name in `status`, metrics and the configuration, such as `replay-memory`.
    package let name: String
    /// What its units are.
    package let unit: PotUnit
    private let agents: ActiveAgents
    private let state: Mutex<SharedPot<PotHolder>>

    /// Makes a pot of `total` units.
    package init(_ name: String, _ unit: PotUnit, total: Int, agents: ActiveAgents) {
        self.name = name
        self.unit = unit
        self.agents = agents
        state = Mutex(SharedPot(total: total))
    }

    /// Changes the total; what is in use stays in use.
    package func resize(to total: Int) { state.withLock { $0.resize(to: total) } }

    /// Takes units for a holder; where others hold the agent's share, what they borrowed and have not used for a while is
    /// taken back first, and those holders are ended.
    ///
    /// False where there are none for it.
    package func take(_ weight: Int, for holder: PotHolder, at now: Int64) -> Bool {
        let active = agents.count(at: now)
        let (isTaken, ended) = state.withLock { pot -> (Bool, [PotHolder]) in
            let place = holder.place ?? pot.add(holder, of: holder.agent.number)
            holder.place = place
            var answer = pot.take(weight, at: place, among: active)
            var ended: [PotHolder] = []
            while answer == .shareIsLent,
                let stalled = pot.reclaim(
                    for: holder.agent.number, among: active, at: now,
                    isActive: { self.agents.isActive($0, at: now) })
            {
                if let stalled = pot.remove(at: stalled) { ended.append(stalled) }
                answer = pot.take(weight, at: place, among: active)
            }
            if answer != .granted { pot.countRefusal() }
            return (answer == .granted, ended)
        }
        for holder in ended { holder.end() }
        return isTaken
    }

    /// Puts some of a holder's units back.
    package func giveBack(_ weight: Int, of holder: PotHolder) {
        state.withLock { pot in
            if let place = holder.place { pot.giveBack(weight, at: place) }
        }
    }

    /// A holder is gone, and its units are back; called as often as one likes, and it gets nothing more.
    package func remove(_ holder: PotHolder) {
        state.withLock { pot in
            if let place = holder.place { pot.remove(at: place) }
        }
    }

    /// The pot as it is now.
    package func snapshot(at now: Int64) -> PotSnapshot {
        PotSnapshot(name: name, unit: unit, state.withLock { $0 }, agents: agents, at: now)
    }
}

/// One holder of units of a ``Pot``, and how it is ended.
package final class PotHolder: UnitHolder {
    /// Whose it is.
    package let agent: ActiveAgent
    private let progress: HolderProgress
    private let whenEnded: @Sendable () -> Void
    /// Its place; used under the pot's lock only.
    private let position = Mutex<PotPlace?>(nil)

    /// Makes a holder without units; `whenEnded` is called on any thread, at most once, when its units were taken back.
    package init(_ agent: ActiveAgent, _ progress: HolderProgress, whenEnded: @escaping @Sendable () -> Void) {
        self.agent = agent
        self.progress = progress
        self.whenEnded = whenEnded
    }

    package var lastProgress: Int64 { progress.lastProgress }
    package var mayBeEnded: Bool { progress.mayBeEnded }

    fileprivate var place: PotPlace? {
        get { position.withLock { $0 } }
        set { position.withLock { $0 = newValue } }
    }

    fileprivate func end() { whenEnded() }
}
