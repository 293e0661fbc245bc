import NIOCore
import Synchronization

/// One reading of a long or compressed body at a time for each agent: it holds a thread of the pool on which others' bodies
/// are written, and a small body may decompress to a large one.
///
/// Safe to use from any thread.
final class ReadingTurns: Sendable {
    /// By agent, who waits while one reads, the first to go first.
    private let waiting = Mutex<[String: CircularBuffer<CheckedContinuation<Void, Never>>]>([:])

    /// Reads in the agent's turn.
    func take<Value: Sendable>(by agent: String, _ read: () async throws -> Value) async rethrows -> Value {
        await withCheckedContinuation { turn in
            let isFree = waiting.withLock { waiting in
                guard waiting[agent] != nil else {
                    waiting[agent] = []
                    return true
                }
                waiting[agent]?.append(turn)
                return false
            }
            if isFree { turn.resume() }
        }
        defer { pass(from: agent) }
        return try await read()
    }

    private func pass(from agent: String) {
        let next = waiting.withLock { waiting -> CheckedContinuation<Void, Never>? in
            let next = waiting[agent]?.popFirst()
            if next == nil { waiting[agent] = nil }
            return next
        }
        next?.resume()
    }
}
