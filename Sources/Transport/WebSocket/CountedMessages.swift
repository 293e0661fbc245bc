package import NIOCore

/// What a WebSocket client sends, held back at the beginning of each message until that message has been counted.
///
/// Nothing of a message passes before; all else passes at once and in order. Control frames are not counted, but there may
/// only be so many of them.
package struct CountedMessages: Sendable {
    /// What to do next.
    package enum Step: Equatable, Sendable {
        /// Pass these bytes on.
        case pass(ByteBuffer)
        /// A message begins: have it counted, and say so with ``CountedMessages/counted()``.
        case count
        /// Wait for more bytes, or for the count.
        case wait
    }

    private enum State: Equatable {
        /// Between beginnings of messages.
        case passing
        /// A message begins; `header` bytes of it are known.
        case begun(header: Int)
        /// Its count has been asked for.
        case counting(header: Int)
        /// It has been counted.
        case counted(header: Int)
    }

    /// Control frames that a client may send in a minute.
    package static let controlFrames = 120

    private var frames = WebSocketFrames(from: .client)
    private var bytes = ByteBuffer()
    private var state = State.passing
    private var minute = NIODeadline.uptimeNanoseconds(0)
    private var controls = 0

    /// Begins in front of the first frame.
    package init() {}

    /// Whether a message waits for its count.
    package var isWaiting: Bool { if case .counting = state { true } else { false } }

    /// Takes bytes in behind those that came before.
    package mutating func add(_ more: ByteBuffer) {
        bytes.appendUnread(more)
    }

    /// The message that was waited for has been counted.
    package mutating func counted() {
        if case .counting(let header) = state { state = .counted(header: header) }
    }

    /// What to do next; asked until it says ``Step/wait``.
    ///
    /// Throws where the bytes are no frames of a client: none of those that were not passed on may be.
    package mutating func next(at now: NIODeadline) throws(WebSocketFrames.Violation) -> Step {
        var length = 0
        switch state {
        case .counting: return .wait
        case .begun(let header):
            state = .counting(header: header)
            return .count
        case .counted(let header):
            length = header
            state = .passing
        case .passing: break
        }
        while state == .passing, let piece = try frames.next(in: bytes.readableBytesView.dropFirst(length)) {
            switch piece {
            case .message(let header): state = .begun(header: header)
            case .control(let header):
                try count(controlAt: now)
                length += header
            case .continuation(let count), .payload(let count): length += count
            }
        }
        if length > 0, let passed = bytes.readSlice(length: length) { return .pass(passed) }
        return state == .passing ? .wait : try next(at: now)
    }

    private mutating func count(controlAt now: NIODeadline) throws(WebSocketFrames.Violation) {
        if now - minute >= .minutes(1) || controls == 0 {
            minute = now
            controls = 0
        }
        controls += 1
        guard controls <= Self.controlFrames else { throw .controlFlood }
    }
}
