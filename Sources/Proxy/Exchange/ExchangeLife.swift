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
        /// The agent has gone; the answer to the payment is read on, for a repetition of the request.
        case keeping
        /// The answer to an earlier identical request is awaited in place of an own one; nothing of it has come.
        case joined
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
    /// Whether the answer is for a repetition of the request, now that the agent has gone.
    private(set) var isKept = false
    /// Whether the payment may belong to another exchange by now, since this one's agent has left while it was out: what
    /// is still booked of it here may say that money moved and nothing else.
    private(set) var isFenced = false

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
        /// Book what the answer says of the payment, then see to the answer; `isRepeat` when it answers the second sending.
        case book(isRepeat: Bool, then: AnswerFate)
    }

    /// What becomes of an answer to the payment once it is booked.
    enum AnswerFate: Equatable {
        /// It goes to the agent.
        case relay
        /// It is read on for a repetition of the request, since the agent has gone.
        case keep
        /// Nobody is left to answer.
        case drop
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
            guard agentIsGone else {
                phase = .answering
                return .book(isRepeat: isRepeat, then: .relay)
            }
            phase = isKept ? .keeping : .over
            return .book(isRepeat: isRepeat, then: isKept ? .keep : .drop)
        }
        phase = mayPay ? .collecting : .answering
        return mayPay ? .collect : .relay
    }

    /// The answer to the payment has been read as far as is waited for.
    ///
    /// Returns what to do with it, as ``OnResponse/book(isRepeat:then:)`` does; nil when there is none any more. A refusal is
    /// not kept.
    mutating func judged() -> (isRepeat: Bool, then: AnswerFate)? {
        guard case .judging(let isRepeat) = phase else { return nil }
        phase = agentIsGone ? .over : .answering
        return (isRepeat, agentIsGone ? .drop : .relay)
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
        /// The answer to an earlier identical request, whose agent has left, is the answer to this one.
        case joined
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
        /// Wait for the other answer.
        case join
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
        case .joined:
            phase = .joined
            return .join
        case .nothing:
            phase = .answering
            return .answer
        }
    }

    /// The first bytes of the joined answer are on their way to the agent.
    mutating func joinedAnswerBegan() {
        if phase == .joined { phase = .answering }
    }

    /// The joined exchange has ended without an answer.
    ///
    /// Returns whether the request is to be decided once more.
    mutating func joinEnded() -> Bool {
        guard phase == .joined else { return false }
        phase = .deciding
        return true
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
        /// Drop what was kept of the answer.
        case drop
        case nothing
    }

    /// The upstream failed or was too slow.
    ///
    /// `beforeAnyByte`: the connection died before a response byte came.
    mutating func upstreamFailed(beforeAnyByte: Bool) -> OnFailure {
        switch phase {
        case .unpaid, .collecting, .joined:
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
        case .keeping:
            phase = .over
            return .drop
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
        /// The payment is out: wait a while for the answer's head and book that too. Where it `losesSight`, book at once
        /// that nobody waits for it any more, so that the agent's next identical request may take it over.
        case awaitOutcome(losesSight: Bool)
        /// Read the rest of the answer for a repetition of the request.
        case keep
    }

    /// The agent's connection is closed; `isKept` when a repetition of the request may have the answer from its first byte.
    mutating func agentLeft(isKept: Bool = false) -> OnAgentGone {
        agentIsGone = true
        switch phase {
        case .deciding: return .waitForDecision
        case .paid, .judging:
            self.isKept = isKept
            let losesSight = !isFenced
            isFenced = true
            return .awaitOutcome(losesSight: losesSight)
        case .connecting:
            phase = .over
            return .void
        case .answering where isKept:
            phase = .keeping
            return .keep
        case .metering, .unpaid, .collecting, .completing, .answering, .keeping, .joined, .over:
            phase = .over
            return .drop
        }
    }

    enum OnAgentBack: Equatable {
        /// Wait on for the answer, and send the same bytes again where that is called for.
        case await
        /// Replay what is kept of the answer, and go on with what comes.
        case replay
    }

    /// A repetition of the request takes the place of the agent that has gone; `ownsPayment` when the books have handed the
    /// payment over to it.
    ///
    /// Returns nil where there is no answer for it.
    mutating func agentIsBack(ownsPayment: Bool) -> OnAgentBack? {
        guard agentIsGone else { return nil }
        switch phase {
        case .paid, .judging:
            agentIsGone = false
            if ownsPayment { isFenced = false }
            return .await
        case .keeping:
            agentIsGone = false
            phase = .answering
            return .replay
        default: return nil
        }
    }

    /// The answer is complete.
    mutating func finished() {
        phase = .over
    }
}
