import NIOCore
import Primitives
import Synchronization

/// A paid answer from its first byte on, in memory, for a repetition of its request whose first agent left.
///
/// One event loop appends; any thread may drop it to make room.
final class KeptAnswer: Sendable {
    /// An answer in its parts.
    struct Contents {
        /// The head as it was received.
        let head: ByteBuffer
        /// The pieces of the body, chunked coding included.
        let body: [ByteBuffer]
    }

    private struct State {
        var bytes = KeptBytes()
        var isWhole = true
    }

    private let memory: KeptMemory
    private let number = Mutex<UInt64>(0)
    private let headLength: Int
    private let progress: HolderProgress
    private let state = Mutex(State())
    private let whenDropped: @Sendable () -> Void

    /// Begins with the head of an agent's answer; `whenDropped` is called, on any thread, when the bytes are no longer kept.
    init(
        head: ByteBuffer, of agent: ActiveAgent, in memory: KeptMemory, at now: NIODeadline = .now(),
        whenDropped: @escaping @Sendable () -> Void
    ) {
        progress = HolderProgress(at: now.milliseconds)
        self.memory = memory
        self.whenDropped = whenDropped
        headLength = head.readableBytes
        let number = memory.add(self, of: agent, progress)
        self.number.withLock { $0 = number }
        append(head, at: now)
    }

    deinit { memory.remove(number.withLock { $0 }) }

    /// Whether everything from the first byte on is kept.
    var isWhole: Bool { state.withLock { $0.isWhole } }

    /// Keeps a piece; beyond the limits the whole answer is dropped.
    func append(_ bytes: ByteBuffer, at now: NIODeadline = .now()) {
        progress.made(at: now.milliseconds)
        let growth = state.withLock { state -> Int? in
            guard state.isWhole else { return nil }
            guard state.bytes.byteCount + bytes.readableBytes <= memory.limits.each else { return .max }
            return state.bytes.growth(for: bytes.readableBytes)
        }
        guard let growth else { return }
        let number = number.withLock { $0 }
        guard growth == 0 || memory.take(growth, for: number, at: now.milliseconds) else {
            memory.remove(number)
            return drop()
        }
        state.withLock { state in
            if state.isWhole { state.bytes.append(bytes) }
        }
    }

    /// Everything that has come so far; nil where it is no longer kept.
    func contents() -> Contents? {
        let buffers = state.withLock { $0.isWhole ? $0.bytes.shared() : [] }
        guard var first = buffers.first, let head = first.readSlice(length: headLength) else { return nil }
        let rest = first.readableBytes > 0 ? [first] : []
        return Contents(head: head, body: rest + buffers.dropFirst())
    }

    /// Lets go of everything.
    func drop() {
        let wasWhole = state.withLock { state in
            defer { state = State(isWhole: false) }
            return state.isWhole
        }
        if wasWhole { whenDropped() }
    }
}
