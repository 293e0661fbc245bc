import Ledger
import Synchronization

/// The tunnels and switched connections that are open on all event loops together, by agent and destination, and how many
/// were ended for what reason.
final class OpenTunnels: Sendable {
    /// What tunnels are counted by.
    struct Entry: Hashable, Sendable {
        let agent: String
        let kind: String
        let gateway: String?
        let host: String?
    }

    /// Which tunnels the next review has to look at.
    enum Due: Sendable {
        case none
        /// Those that no review has seen yet.
        case fresh
        /// All: the rules, the books or the time have moved on.
        case all
    }

    private struct State {
        var open: [Entry: Int] = [:]
        var ended: [String: Int] = [:]
        var endedUnder: [Freeze: Int] = [:]
        var due = Due.none
        var reviewed: UInt64 = 0
        /// When the next certificate of an open tunnel ends, in seconds since the epoch.
        var nextEnd = Int64.max
    }

    /// The places that each agent has taken, those of tunnels that are being opened included.
    let places = CountByAgent()
    private let state = Mutex(State())

    /// A tunnel begins; `end` is when the certificate of its connection ends.
    func open(_ entry: Entry, until end: Int64?) {
        state.withLock { state in
            state.open[entry, default: 0] += 1
            if state.due == .none { state.due = .fresh }
            if let end { state.nextEnd = min(state.nextEnd, end) }
        }
    }

    /// A tunnel is closed.
    func close(_ entry: Entry) {
        state.withLock { state in
            let left = state.open[entry, default: 0] - 1
            state.open[entry] = left > 0 ? left : nil
        }
    }

    /// A tunnel is ended before anybody closed it.
    func end(for ending: TunnelEnding) {
        state.withLock { state in
            state.ended[ending.word, default: 0] += 1
            if case .frozen(let freeze) = ending { state.endedUnder[freeze, default: 0] += 1 }
        }
    }

    // MARK: Reviews

    /// Has the next review look at every tunnel.
    func rulesChanged() { state.withLock { $0.due = .all } }

    /// Begins a review, of all tunnels where that is asked for; `generation` is the newest change in the books, `now` in seconds since the epoch.
    func beginReview(ofAll: Bool, generation: UInt64, now: Int64) -> Due {
        state.withLock { state in
            var due = ofAll ? .all : state.due
            if generation != state.reviewed || state.nextEnd < now { due = .all }
            state.due = .none
            // What was ended under a freeze is forgotten once the books do not hold that freeze.
            guard !state.open.isEmpty || !state.endedUnder.isEmpty else {
                // What opens later is looked at then.
                state.reviewed = generation
                return .none
            }
            if due == .all { state.nextEnd = .max }
            return due
        }
    }

    /// A review could not be made: the next one makes up for it.
    func reviewFailed() { state.withLock { $0.due = .all } }

    /// Every tunnel has been held against the rules and these books.
    func reviewed(_ agents: AgentRegistry) {
        state.withLock { state in
            state.reviewed = agents.generation
            state.endedUnder = state.endedUnder.filter { agents.freezes[$0.key.scope] == $0.key }
        }
    }

    /// A review left a tunnel open whose certificate ends at `end`.
    func staysOpen(until end: Int64) { state.withLock { $0.nextEnd = min($0.nextEnd, end) } }

    /// Everything as it is now.
    var snapshot: TunnelSnapshot {
        state.withLock { state in
            TunnelSnapshot(
                generation: state.reviewed,
                open: state.open.map {
                    TunnelSnapshot.Row(
                        agent: $0.key.agent, kind: $0.key.kind, gateway: $0.key.gateway, host: $0.key.host,
                        count: $0.value)
                }.sorted(),
                ended: state.ended,
                endedUnder: Dictionary(
                    state.endedUnder.map { ($0.key.scope.description, $0.value) }, uniquingKeysWith: +))
        }
    }
}

/// The open tunnels and switched connections at one moment, and what became of earlier ones.
package struct TunnelSnapshot: Sendable, Equatable {
    /// Tunnels of one agent and kind to one destination.
    package struct Row: Sendable, Hashable, Comparable {
        /// The agent's name.
        package let agent: String
        /// `tunnel`, `terminated` or `switched`.
        package let kind: String
        /// The gateway it leads to, or one at the address it leads to; nil where there is none.
        package let gateway: String?
        /// The host and port that the agent named; nil for a gateway that it named by its path.
        package let host: String?
        /// How many there are, at least 1.
        package let count: Int

        /// Makes a row.
        package init(agent: String, kind: String, gateway: String?, host: String?, count: Int) {
            self.agent = agent
            self.kind = kind
            self.gateway = gateway
            self.host = host
            self.count = count
        }

        /// By agent, gateway, host and kind.
        package static func < (left: Row, right: Row) -> Bool {
            (left.agent, left.gateway ?? "", left.host ?? "", left.kind)
                < (right.agent, right.gateway ?? "", right.host ?? "", right.kind)
        }
    }

    /// The newest change in the books that all open tunnels have been held against.
    package let generation: UInt64
    /// What is open, in order.
    package let open: [Row]
    /// How many were ended since the start because their right had ended, by reason.
    package let ended: [String: Int]
    /// How many were ended under each freeze in force, by its scope.
    package let endedUnder: [String: Int]

    /// Makes a snapshot.
    package init(generation: UInt64, open: [Row], ended: [String: Int], endedUnder: [String: Int]) {
        self.generation = generation
        self.open = open
        self.ended = ended
        self.endedUnder = endedUnder
    }

    /// How many tunnels are open.
    package var count: Int { open.reduce(0) { $0 + $1.count } }

    /// How many were ended, for whatever reason.
    package var endedCount: Int { ended.values.reduce(0, +) }
}
