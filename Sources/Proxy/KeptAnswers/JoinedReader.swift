import NIOCore
import Payments
import Transport

/// The agent of a repetition, as the exchange sees it whose answer it gets.
///
/// It belongs to the loop of that exchange; the agent's own connection may belong to another one.
final class JoinedReader: AgentChannel {
    /// Names one joining.
    final class Token: Sendable {}

    /// Bytes that may be on their way to the agent's connection; beyond that the gateway is read no further.
    private static let window = 64 << 10

    /// Who joined.
    let token: Token
    /// The repetition, for which the answer's head is written.
    let request: AdmittedRequest
    /// What of the time up to the joining went to this process.
    let overhead: TimeAmount
    private let agent: NIOLoopBound<Exchange>
    private let loop: any EventLoop
    /// The loop of the exchange whose answer it gets.
    private let home: any EventLoop
    private weak var exchange: Exchange?
    /// Written, and not handed over yet.
    private var pieces: [ByteBuffer] = []
    /// Bytes that the agent's connection has not taken yet.
    private var untaken = 0

    init(_ joining: Joining, to exchange: Exchange) {
        token = joining.token
        request = joining.request
        overhead = joining.overhead
        agent = joining.agent
        loop = joining.loop
        home = exchange.shared.loop
        self.exchange = exchange
    }

    func write(_ bytes: ByteBuffer) {
        pieces.append(bytes)
        untaken += bytes.readableBytes
    }

    func flush() {
        guard !pieces.isEmpty else { return }
        let pieces = pieces
        self.pieces = []
        tell { $0.joinedAnswerCame(pieces, $1) }
    }

    func flush(_ done: @escaping (Bool) -> Void) {
        let (pieces, home) = (pieces, home)
        self.pieces = []
        let answer = NIOLoopBound(done, eventLoop: home)
        tell { agent, token in
            agent.joinedAnswerCame(pieces, token) { isTaken in home.execute { answer.value(isTaken) } }
        }
    }

    var isWritable: Bool { untaken < Self.window }

    /// The agent's connection has taken so many bytes and can take more.
    func taken(_ count: Int) {
        let wasWritable = isWritable
        untaken -= count
        if !wasWritable, isWritable { exchange?.agentWritabilityChanged(true) }
    }

    /// Its body is complete.
    func setReadingBody(_ isReading: Bool) {}

    func exchangeDidFinish(closing: Bool, isOwnAnswer: Bool) {
        flush()
        tell { $0.joinedAnswerEnded(.whole(closing: closing), $1) }
    }

    /// A request that offers another protocol is not joined.
    func exchangeDidSwitch(on upstream: UpstreamConnection, as tunnel: TunnelSlot) {
        upstream.abandon()
        exchangeDidBreak(isConnectionFramed: true)
    }

    func exchangeDidBreak(isConnectionFramed: Bool) {
        flush()
        tell { $0.joinedAnswerEnded(.broken(isConnectionFramed: isConnectionFramed), $1) }
    }

    /// The exchange has ended without an answer: the repetition is decided like any other.
    func exchangeDidEndUnanswered() {
        tell { $0.joinedAnswerEnded(.none, $1) }
    }

    private func tell(_ event: @escaping @Sendable (Exchange, Token) -> Void) {
        let (agent, token) = (agent, token)
        loop.execute { event(agent.value, token) }
    }
}

/// What a repetition brings along when it joins an exchange.
struct Joining: Sendable {
    let token = JoinedReader.Token()
    let request: AdmittedRequest
    let overhead: TimeAmount
    /// The repetition's own exchange, on its loop.
    let agent: NIOLoopBound<Exchange>
    let loop: any EventLoop
    /// Whether the books have handed the payment over to it.
    let ownsPayment: Bool
}

/// How an answer ended that a repetition had joined.
enum JoinedEnd: Sendable {
    /// Complete.
    case whole(closing: Bool)
    /// In the middle.
    case broken(isConnectionFramed: Bool)
    /// Before its first byte.
    case none
}
