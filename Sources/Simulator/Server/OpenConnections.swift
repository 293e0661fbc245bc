import NIOCore
import Synchronization

/// The connections that are open, so that they can be closed.
final class OpenConnections: Sendable {
    private struct State {
        var isShut = false
        var channels: [ObjectIdentifier: any Channel] = [:]
    }

    private let state = Mutex(State())

    /// Keeps a connection until it closes; closes it when everything is shut already.
    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let isShut = state.withLock { state in
            if !state.isShut { state.channels[id] = channel }
            return state.isShut
        }
        guard !isShut else { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.channels.removeValue(forKey: id) } }
    }

    /// Ends keeping and returns what is open.
    func shut() -> [any Channel] {
        state.withLock { state in
            state.isShut = true
            return Array(state.channels.values)
        }
    }
}
