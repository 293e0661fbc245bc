import Ledger
import NIOCore
import Payments
import Transport

/// Has the books count each WebSocket message that an agent sends to a prepaid gateway, before any of it is passed on.
///
/// All state belongs to the event loop.
final class MessageMeter {
    private let call: MeteredCall
    private let shared: ProxyLoop
    private unowned let end: TunnelEnd
    private var messages = CountedMessages()
    private var answers = WebSocketBoundary()

    /// `end` is the agent's connection, which keeps the meter.
    init(_ call: MeteredCall, end: TunnelEnd, shared: ProxyLoop) {
        self.call = call
        self.end = end
        self.shared = shared
    }

    /// Whether bytes are held back until the books have answered.
    var isWaiting: Bool { messages.isWaiting }

    /// Bytes of the agent.
    func take(_ bytes: ByteBuffer) {
        messages.add(bytes)
        advance()
    }

    /// Bytes of the gateway that go to the agent.
    func passesDown(_ bytes: ByteBuffer) { answers.pass(bytes) }

    /// A frame that tells the agent why there is no more; nil where it would stand inside another frame.
    func farewell(reason: String) -> ByteBuffer? {
        // 1008: a message that violates a policy (RFC 6455 section 7.4.1).
        answers.isBetweenFrames ? WebSocketBoundary.close(code: 1008, reason: reason) : nil
    }

    private func advance() {
        do {
            while true {
                switch try messages.next(at: .now()) {
                case .pass(let bytes): end.pass(bytes)
                case .count: ask()
                case .wait: return
                }
            }
        } catch {
            end.tunnel?.refuseMessage(.notWebSocket, reason: "purser: not a WebSocket message (\(error))")
        }
    }

    private func ask() {
        let bound = NIOLoopBound((meter: self, end: end), eventLoop: shared.loop)
        let (engine, call, loop) = (shared.services.engine, call, shared.loop)
        Task(executorPreference: shared.executor) {
            let failure = await engine.meter(call)
            loop.execute { bound.value.meter.answered(failure) }
        }
    }

    private func answered(_ failure: MeteringFailure?) {
        if let failure {
            end.tunnel?.refuseMessage(TunnelEnding(failure), reason: "purser: \(failure.failure.code)")
            // The agent may have gone, and its peer waits for the end of what it sent.
            return end.countWasRefused()
        }
        messages.counted()
        advance()
        end.countIsKnown()
    }
}
