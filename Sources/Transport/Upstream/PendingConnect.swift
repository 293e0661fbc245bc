import NIOCore

/// A connection that somebody waits for; only the first outcome counts, and a connection that comes too late is closed.
final class PendingConnect {
    private var completion: ((Result<UpstreamConnection, UpstreamFailure>) -> Void)?
    var whenFinished: () -> Void = {}

    init(_ completion: @escaping (Result<UpstreamConnection, UpstreamFailure>) -> Void) {
        self.completion = completion
    }

    /// Whether nobody waits any more.
    var isFinished: Bool { completion == nil }

    func finish(_ result: Result<UpstreamConnection, UpstreamFailure>) {
        guard let completion else {
            if case .success(let connection) = result { connection.close() }
            return
        }
        self.completion = nil
        whenFinished()
        completion(result)
    }
}
