import NIOCore
import Primitives

/// The agents' connections on one event loop, and who of them has said who it is.
///
/// A connection without a token belongs to a stranger. Strangers have a part of their own: where it is full, the one that
/// has been there for longest is closed, so that no agent is kept out by them. The connections of agents are divided by
/// their shares. Not thread-safe: used on its loop only.
final class OpenConnections {
    /// One open connection.
    final class Place {
        fileprivate let channel: any Channel
        /// Whose it is; nil for a stranger's.
        fileprivate(set) var agent: ActiveAgent?
        /// The progress of the connection and its request.
        let progress: HolderProgress
        /// What serves it; nil once it is a tunnel whose bytes pass unread.
        weak var connection: AgentConnection?
        /// Its part of the pot.
        fileprivate var holder: PotHolder?
        fileprivate var isOpen = true

        fileprivate init(_ channel: any Channel, at now: Int64) {
            self.channel = channel
            progress = HolderProgress(at: now)
        }

        /// Who uses it; nil for a stranger.
        var standing: AgentStanding? { agent.map { AgentStanding(agent: $0, progress: progress) } }

        fileprivate var isStranger: Bool { isOpen && agent == nil }
    }

    /// What becomes of a connection on which an agent has shown its token.
    enum Identification {
        /// It is the agent's.
        case admitted
        /// The agent has as many as one may have.
        case overLimit
        /// What is left belongs to other agents.
        case overShare
    }

    private let pots: SharedPots
    private let counts: CountByAgent
    private var strangerCount = 0
    /// Connections in the order in which they came; those that are no strangers any more are passed over.
    private var strangers = CircularBuffer<Place>()

    /// `counts` are the agents' connections on all loops.
    init(pots: SharedPots, counts: CountByAgent) {
        self.pots = pots
        self.counts = counts
    }

    /// Takes a new connection in; the oldest strangers make room where there are `limit` of them.
    func admit(_ channel: any Channel, limit: Int) -> Place {
        while strangerCount >= limit, let stranger = oldestStranger() {
            leave(stranger)
            stranger.channel.close(promise: nil)
        }
        let place = Place(channel, at: NIODeadline.now().milliseconds)
        strangerCount += 1
        if strangers.count > 2 * strangerCount + 64 { strangers = CircularBuffer(strangers.filter(\.isStranger)) }
        strangers.append(place)
        return place
    }

    private func oldestStranger() -> Place? {
        while let place = strangers.popFirst() {
            if place.isStranger { return place }
        }
        return nil
    }

    /// An agent has shown its token on a connection, of which it may have `limit`.
    func identify(_ place: Place, as name: String, limit: Int) -> Identification {
        guard place.isOpen, place.agent?.name != name else { return .admitted }
        let now = NIODeadline.now().milliseconds
        guard counts.begin(name, limit: limit) else { return .overLimit }
        let agent = pots.agents.agent(named: name)
        agent.hadRequest(at: now)
        let loop = NIOLoopBound(place, eventLoop: place.channel.eventLoop)
        let holder = PotHolder(agent, place.progress) {
            loop.eventLoop.execute { loop.value.connection?.takenBack() }
        }
        guard pots.connections.take(1, for: holder, at: now) else {
            pots.connections.remove(holder)
            counts.end(name)
            return .overShare
        }
        giveBack(place)
        place.agent = agent
        place.holder = holder
        return .admitted
    }

    /// A connection is closed.
    func leave(_ place: Place) {
        guard place.isOpen else { return }
        giveBack(place)
        place.isOpen = false
    }

    private func giveBack(_ place: Place) {
        guard let agent = place.agent else {
            strangerCount -= 1
            return
        }
        counts.end(agent.name)
        if let holder = place.holder { pots.connections.remove(holder) }
        place.holder = nil
    }
}
