import NIOCore

/// The open connections to the metrics listener.
///
/// There are few, since each is a descriptor that an agent could have. Where a new one finds no room, the oldest that has
/// not asked for anything ends, or the oldest of all: nobody keeps a scraper out by holding connections. Not thread-safe:
/// used on the listener's loop only.
final class MetricsConnections {
    /// The most at once.
    static let limit = 16

    /// One of them.
    final class Place {
        fileprivate let channel: any Channel
        /// Whether a whole request has come on it.
        var hasAsked = false

        fileprivate init(_ channel: any Channel) { self.channel = channel }
    }

    private var places: [Place] = []

    /// How many there are.
    var count: Int { places.count }

    /// Takes a connection in until it closes.
    func admit(_ channel: any Channel) -> Place {
        if places.count >= Self.limit, let leaving = places.first(where: { !$0.hasAsked }) ?? places.first {
            leave(leaving)
            leaving.channel.close(promise: nil)
        }
        let place = Place(channel)
        places.append(place)
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.leave(place) }
        return place
    }

    private func leave(_ place: Place) { places.removeAll { $0 === place } }
}
