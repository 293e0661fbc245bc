/// The life of one proxied request with respect to money, as a value: events in, what to do out.
///
/// It knows nothing of sockets; ``Exchange`` performs what it says. One request has at most one payment, whose header
/// is sent at most twice with the same bytes.
struct ExchangeLife: Equatable {
    /// Where the request stands.
    enum Phase: Equatable {
        /// The books are asked whether the call may be made; nothing goes upstream before.
        case metering
        /// On its way without a payment, or waiting for the answer.
        case unpaid
        /// A 402 came; what it says is being read.
        case collecting
        /// The challenge is known, or the price without one; the rest of the agent's body is read for the repetition.
        case completing
        /// The engine decides.
        case deciding
        /// A payment is signed and waits for a connection; nothing has left the process.
        case connecting
        /// The payment header was handed to a socket; `isRepeat` the second time.
        case paid(isRepeat: Bool)
        /// The answer to the payment is kept back while its body is read for what it says of the payment.
        case judging(isRepeat: Bool)
        /// The answer is on its way to the agent.
        case answering
        /// Nothing more will happen.
        case over

        /// Whether the answer to the payment is being read.
        var isJudging: Bool {
            if case .judging = self { true } else { false }
        }
    }

    private(set) var phase: Phase
    /// Whether a payment was tried to go with the first request; once is enough.
    private(set) var hasAttached = false
    /// Whether nobody is left to answer.
    private(set) var agentIsGone = false

    /// Begins a life; `isMetered` where every call is booked before it is made.
    init(isMetered: Bool = false) {
        phase = isMetered ? .metering : .unpaid
    }

    enum OnMetered: Equatable {
        /// Send the request.
        case send
        /// Answer the agent without one.
        case answer
        /// Nobody is left to answer, and nothing was sent.
        case nothing
    }

    /// The books have answered whether the call may be made.
    mutating func metered(isBooked: Bool) -> OnMetered {
        guard phase == .metering else { return .nothing }
        phase = isBooked ? .unpaid : .answering
        return isBooked ? .send : .answer
    }

    /// The price of the request is known before it is asked.
    ///
    /// Returns whether to decide now; else the body is still coming.
    mutating func attaches(isBodyComplete: Bool) -> Bool {
        guard phase == .unpaid, !hasAttached else { return false }
        hasAttached = true
        phase = isBodyComplete ? .deciding : .completing
        return isBodyComplete
    }

    enum OnResponse: Equatable {
        /// Pass the answer to the agent.
        case relay
        /// Keep the answer back and read the challenge.
        case collect
        /// Keep the answer back and read its body, then ask ``ExchangeLife/judged()``.
        case judge
        /// Book what the answer says of the payment, then pass it on (or not, when the agent has gone); `isRepeat` when
        /// it answers the second sending.
        case book(isRepeat: Bool, thenRelay: Bool)
    }

    /// A response head arrived.
    ///
    /// `mayPay`: it is a 402 and nothing forbids paying for this request. `needsBody`: what it says of a payment stands in
    /// its body alone.
    mutating func responseArrived(mayPay: Bool, needsBody: Bool = false) -> OnResponse {
        if case .paid(let isRepeat) = phase {
            if needsBody, !agentIsGone {
                phase = .judging(isRepeat: isRepeat)
                return .judge
            }
            phase = agentIsGone ? .over : .answering
            return .book(isRepeat: isRepeat, thenRelay: !agentIsGone)
        }
        phase = mayPay ? .collecting : .answering
        return mayPay ? .collect : .relay
    }

    /// The answer to the payment has been read as far as is waited for.
    ///
    /// Returns what to do with it, as ``OnResponse/book(isRepeat:thenRelay:)`` does; nil when there is none any more.
    mutating func judged() -> (isRepeat: Bool, thenRelay: Bool)? {
        guard case .judging(let isRepeat) = phase else { return nil }
        phase = agentIsGone ? .over : .answering
        return (isRepeat, !agentIsGone)
    }

    /// The challenge has been read as far as needed.
    ///
    /// Returns whether to decide now; else the body is still coming.
    mutating func challengeRead(isBodyComplete: Bool) -> Bool {
        guard phase == .collecting else { return false }
        phase = isBodyComplete ? .deciding : .completing
        return isBodyComplete
    }

    /// The held answer is no challenge after all.
    mutating func challengeDropped() {
        if phase == .collecting { phase = .answering }
    }

    /// The agent's whole body is here.
    ///
    /// Returns whether to decide now.
    mutating func bodyCompleted() -> Bool {
        guard phase == .completing else { return false }
        phase = .deciding
        return true
    }

    /// What the engine makes of a challenge.
    enum Decision: Equatable {
        /// A payment is signed.
        case payment
        /// The request is repeated as it is, with who asks; it may have been paid for before.
        case signIn
        /// Nothing was asked yet, and no payment goes with the request: the seller is asked.
        case unpriced
        /// None of these.
        case nothing
    }

    enum OnDecision: Equatable {
        /// Find a connection for the paid repetition.
        case connect
        /// Book that nothing was sent: the agent left while the payment was signed.
        case void
        /// Send the request once more without a payment.
        case send
        /// Answer the agent without a payment.
        case answer
        /// Nobody is left to answer.
        case nothing
    }

    /// The engine has decided.
    mutating func decided(_ decision: Decision) -> OnDecision {
        guard phase == .deciding else { return .nothing }
        if agentIsGone {
            phase = .over
            return decision == .payment ? .void : .nothing
        }
        switch decision {
        case .payment:
            phase = .connecting
            return .connect
        case .signIn, .unpriced:
            phase = .unpaid
            return .send
        case .nothing:
            phase = .answering
            return .answer
        }
    }

    /// A connection for the paid request is there.
    ///
    /// Returns whether the header may be written to it.
    mutating func paidConnected() -> Bool {
        switch phase {
        case .connecting:
            phase = .paid(isRepeat: false)
            return true
        // For an agent that has gone nothing is sent a second time.
        case .paid(isRepeat: true): return !agentIsGone
        default: return false
        }
    }

    enum OnFailure: Equatable {
        /// Tell the agent; no payment is involved.
        case answer
        /// Tell the agent; the payment was never sent and is voided.
        case void
        /// Send the same bytes once more on a new connection.
        case resend
        /// Book that nobody knows, then tell the agent (or nobody).
        case doubt(thenAnswer: Bool)
        /// Break the answer off.
        case breakOff
        case nothing
    }

    /// The upstream failed or was too slow.
    ///
    /// `beforeAnyByte`: the connection died before a response byte came.
    mutating func upstreamFailed(beforeAnyByte: Bool) -> OnFailure {
        switch phase {
        case .unpaid, .collecting:
            phase = .answering
            return .answer
        case .connecting:
            phase = agentIsGone ? .over : .answering
            return .void
        case .paid(isRepeat: false) where beforeAnyByte && !agentIsGone:
            phase = .paid(isRepeat: true)
            return .resend
        case .paid, .judging:
            phase = agentIsGone ? .over : .answering
            return .doubt(thenAnswer: !agentIsGone)
        case .answering:
            phase = .over
            return .breakOff
        case .metering, .completing, .deciding, .over:
            return .nothing
        }
    }

    enum OnAgentGone: Equatable {
        /// Drop everything; no payment is involved, or it is booked already.
        case drop
        /// The engine is told through its own question; wait for it.
        case waitForDecision
        /// A signed payment was not sent: void it and drop everything.
        case void
        /// The payment is out: book at once that nobody waits for it any more, so that the agent's next identical request
        /// may take it over; wait a while for the answer's head, book that too, then drop everything.
        case awaitOutcome
    }

    /// The agent's connection is closed.
    mutating func agentLeft() -> OnAgentGone {
        agentIsGone = true
        switch phase {
        case .deciding: return .waitForDecision
        case .paid, .judging: return .awaitOutcome
        case .connecting:
            phase = .over
            return .void
        case .metering, .unpaid, .collecting, .completing, .answering, .over:
            phase = .over
            return .drop
        }
    }

    /// The answer is complete.
    mutating func finished() {
        phase = .over
    }
}
