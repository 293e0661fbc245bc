import NIOCore

/// The agents' connections on one event loop, and who of them has said who it is.
///
/// Whoever has not is a stranger. Where there is no room for one more, the stranger who has been there for the longest goes,
/// so that nobody without a token keeps agents out; connections of agents stay. Not thread-safe: used on its loop only.
final class OpenConnections {
    /// One open connection.
    final class Place {
        fileprivate let channel: any Channel
        /// Whose it is; nil for a stranger's.
        fileprivate(set) var agent: String?
        fileprivate var isOpen = true

        fileprivate init(_ channel: any Channel) {
            self.channel = channel
        }

        fileprivate var isStranger: Bool { isOpen && agent == nil }
    }

    private let agents: CountByAgent
    private(set) var count = 0
    /// Connections in the order in which they came; those that are no strangers any more are passed over.
    private var strangers = CircularBuffer<Place>()

    /// `agents` counts each agent's connections on all loops.
    init(agents: CountByAgent) {
        self.agents = agents
    }

    /// Takes a new connection in; nil when there is no room and no stranger to make some.
    func admit(_ channel: any Channel, limit: Int) -> Place? {
        if count >= limit {
            guard let stranger = oldestStranger() else { return nil }
            leave(stranger)
            stranger.channel.close(promise: nil)
        }
        let place = Place(channel)
        count += 1
        if strangers.count > 2 * count + 64 { strangers = CircularBuffer(strangers.filter(\.isStranger)) }
        strangers.append(place)
        return place
    }

    private func oldestStranger() -> Place? {
        while let place = strangers.popFirst() {
            if place.isStranger { return place }
        }
        return nil
    }

    /// An agent has shown its token on a connection; false when it has as many as it may, this one not counted.
    func identify(_ place: Place, as agent: String, limit: Int) -> Bool {
        guard place.isOpen, place.agent != agent else { return true }
        guard agents.begin(agent, limit: limit) else { return false }
        if let other = place.agent { agents.end(other) }
        place.agent = agent
        return true
    }

    /// A connection is closed.
    func leave(_ place: Place) {
        guard place.isOpen else { return }
        place.isOpen = false
        count -= 1
        if let agent = place.agent { agents.end(agent) }
    }
}
