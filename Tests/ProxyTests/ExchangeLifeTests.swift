import TestSupport
import Testing

@testable import Proxy

@Suite("The life of an exchange")
struct ExchangeLifeTests {
    @Test("a request that is repeated with a sign-in may be paid for afterwards, and its failure costs nothing")
    func signIn() {
        var life = ExchangeLife()
        #expect(life.responseArrived(mayPay: true) == .collect)
        _ = life.challengeRead(isBodyComplete: true)
        #expect(life.decided(.signIn) == .send)
        #expect(life.phase == .unpaid)
        var failing = life
        #expect(failing.upstreamFailed(beforeAnyByte: true) == .answer)
        var served = life
        #expect(served.responseArrived(mayPay: false) == .relay)
        #expect(life.responseArrived(mayPay: true) == .collect)
        _ = life.challengeRead(isBodyComplete: true)
        #expect(life.decided(.payment) == .connect)
        var left = ExchangeLife()
        _ = left.responseArrived(mayPay: true)
        _ = left.challengeRead(isBodyComplete: true)
        #expect(left.agentLeft() == .waitForDecision)
        #expect(left.decided(.signIn) == .nothing && left.phase == .over)
    }

    @Test("a payment goes with the first request once, when the body is there; else the seller is asked")
    func attached() {
        var paid = ExchangeLife()
        let decides = paid.attaches(isBodyComplete: true)
        #expect(decides && paid.phase == .deciding)
        #expect(paid.decided(.payment) == .connect)
        #expect(paid.paidConnected() == true)
        #expect(paid.responseArrived(mayPay: true) == .book(isRepeat: false, then: .relay))
        var asking = ExchangeLife()
        let waits = !asking.attaches(isBodyComplete: false)
        #expect(waits && asking.phase == .completing)
        #expect(asking.bodyCompleted() == true)
        #expect(asking.decided(.unpriced) == .send)
        let isOnce = !asking.attaches(isBodyComplete: true)
        #expect(isOnce && asking.phase == .unpaid)
        #expect(asking.responseArrived(mayPay: true) == .collect)
        var left = ExchangeLife()
        _ = left.attaches(isBodyComplete: true)
        #expect(left.agentLeft() == .waitForDecision)
        let end = left.decided(.unpriced)
        #expect(end == .nothing && left.phase == .over)
        var metered = ExchangeLife(isMetered: true)
        let isFirst = !metered.attaches(isBodyComplete: true)
        #expect(isFirst && metered.phase == .metering)
    }

    @Test("a free answer is relayed")
    func free() {
        var life = ExchangeLife()
        #expect(life.responseArrived(mayPay: false) == .relay)
        life.finished()
        #expect(life.phase == .over)
    }

    @Test("a metered request is sent once the books hold it, and not at all when they refuse")
    func metered() {
        var life = ExchangeLife(isMetered: true)
        #expect(life.bodyCompleted() == false)
        #expect(life.metered(isBooked: true) == .send)
        #expect(life.metered(isBooked: true) == .nothing)
        #expect(life.responseArrived(mayPay: false) == .relay)
        var refused = ExchangeLife(isMetered: true)
        #expect(refused.metered(isBooked: false) == .answer)
        var left = ExchangeLife(isMetered: true)
        #expect(left.agentLeft() == .drop)
        #expect(left.metered(isBooked: true) == .nothing)
        #expect(left.phase == .over)
    }

    @Test("the answer to the second sending is told from that to the first")
    func repeated() {
        var life = ExchangeLife()
        _ = life.responseArrived(mayPay: true)
        _ = life.challengeRead(isBodyComplete: true)
        _ = life.decided(.payment)
        _ = life.paidConnected()
        #expect(life.upstreamFailed(beforeAnyByte: true) == .resend)
        _ = life.paidConnected()
        #expect(life.responseArrived(mayPay: false) == .book(isRepeat: true, then: .relay))
    }

    @Test("a 402 is collected, decided, paid once and booked")
    func paid() {
        var life = ExchangeLife()
        #expect(life.responseArrived(mayPay: true) == .collect)
        #expect(life.challengeRead(isBodyComplete: true) == true)
        #expect(life.decided(.payment) == .connect)
        #expect(life.paidConnected() == true)
        #expect(life.paidConnected() == false)
        #expect(life.responseArrived(mayPay: true) == .book(isRepeat: false, then: .relay))
        #expect(life.responseArrived(mayPay: false) == .relay)
    }

    @Test("the decision waits for the body")
    func waitsForBody() {
        var life = ExchangeLife()
        #expect(life.bodyCompleted() == false)
        _ = life.responseArrived(mayPay: true)
        #expect(life.bodyCompleted() == false)
        #expect(life.challengeRead(isBodyComplete: false) == false)
        #expect(life.bodyCompleted() == true)
        #expect(life.bodyCompleted() == false)
        #expect(life.decided(.nothing) == .answer)
    }

    @Test("a lost connection before any byte is answered by the same bytes once, then by doubt")
    func resend() {
        var life = ExchangeLife()
        _ = life.responseArrived(mayPay: true)
        _ = life.challengeRead(isBodyComplete: true)
        _ = life.decided(.payment)
        #expect(life.paidConnected() == true)
        #expect(life.upstreamFailed(beforeAnyByte: true) == .resend)
        #expect(life.paidConnected() == true)
        #expect(life.upstreamFailed(beforeAnyByte: true) == .doubt(thenAnswer: true))
        #expect(life.paidConnected() == false)
    }

    @Test("a time-out or a torn answer is doubt at once")
    func noResend() {
        var life = ExchangeLife()
        _ = life.responseArrived(mayPay: true)
        _ = life.challengeRead(isBodyComplete: true)
        _ = life.decided(.payment)
        _ = life.paidConnected()
        #expect(life.upstreamFailed(beforeAnyByte: false) == .doubt(thenAnswer: true))
    }

    @Test("for an agent that leaves during the repetition nothing is sent again")
    func leavesDuringResend() {
        var life = ExchangeLife()
        _ = life.responseArrived(mayPay: true)
        _ = life.challengeRead(isBodyComplete: true)
        _ = life.decided(.payment)
        _ = life.paidConnected()
        #expect(life.upstreamFailed(beforeAnyByte: true) == .resend)
        #expect(life.agentLeft() == .awaitOutcome(losesSight: true))
        #expect(life.paidConnected() == false)
        #expect(life.upstreamFailed(beforeAnyByte: true) == .doubt(thenAnswer: false))
        #expect(life.phase == .over)
    }

    @Test(
        "for a repetition that takes the agent's place the answer is awaited and passed on, and the same bytes may go again"
    )
    func repetitionWaits() {
        var life = ExchangeLife()
        _ = life.responseArrived(mayPay: true)
        _ = life.challengeRead(isBodyComplete: true)
        _ = life.decided(.payment)
        _ = life.paidConnected()
        #expect(life.agentIsBack(ownsPayment: true) == nil)
        #expect(life.agentLeft(isKept: true) == .awaitOutcome(losesSight: true))
        #expect(life.isFenced)
        #expect(life.agentIsBack(ownsPayment: true) == .await)
        #expect(!life.isFenced && !life.agentIsGone)
        var failing = life
        #expect(failing.upstreamFailed(beforeAnyByte: true) == .resend)
        var another = life
        #expect(another.agentLeft(isKept: true) == .awaitOutcome(losesSight: true))
        #expect(another.agentIsBack(ownsPayment: false) == .await)
        #expect(another.isFenced)
        #expect(another.agentLeft(isKept: true) == .awaitOutcome(losesSight: false))
        #expect(life.responseArrived(mayPay: false) == .book(isRepeat: false, then: .relay))
    }

    @Test("an answer whose agent has gone is read on where it may be kept, and replayed to the one that comes back")
    func kept() {
        var life = ExchangeLife()
        _ = life.responseArrived(mayPay: true)
        _ = life.challengeRead(isBodyComplete: true)
        _ = life.decided(.payment)
        _ = life.paidConnected()
        var dropped = life
        _ = dropped.agentLeft(isKept: false)
        #expect(dropped.responseArrived(mayPay: false) == .book(isRepeat: false, then: .drop))
        #expect(dropped.phase == .over && dropped.agentIsBack(ownsPayment: true) == nil)
        _ = life.agentLeft(isKept: true)
        #expect(life.responseArrived(mayPay: false) == .book(isRepeat: false, then: .keep))
        #expect(life.phase == .keeping)
        var failing = life
        #expect(failing.upstreamFailed(beforeAnyByte: false) == .drop)
        #expect(life.agentIsBack(ownsPayment: false) == .replay)
        #expect(life.phase == .answering)
        #expect(life.agentLeft(isKept: true) == .keep)
        #expect(life.agentIsBack(ownsPayment: false) == .replay)
        #expect(life.agentLeft(isKept: false) == .drop)
    }

    @Test("a request that joins waits, and is decided once more when there is no answer")
    func joins() {
        var life = ExchangeLife()
        _ = life.responseArrived(mayPay: true)
        _ = life.challengeRead(isBodyComplete: true)
        #expect(life.decided(.joined) == .join)
        var answered = life
        answered.joinedAnswerBegan()
        #expect(answered.phase == .answering)
        #expect(answered.joinEnded() == false)
        var late = life
        #expect(late.upstreamFailed(beforeAnyByte: false) == .answer)
        var left = life
        #expect(left.agentLeft(isKept: true) == .drop)
        #expect(left.joinEnded() == false)
        #expect(life.joinEnded() == true)
        #expect(life.decided(.payment) == .connect)
        var gone = ExchangeLife()
        _ = gone.responseArrived(mayPay: true)
        _ = gone.challengeRead(isBodyComplete: true)
        _ = gone.agentLeft()
        #expect(gone.decided(.joined) == .nothing)
    }

    @Test("thirty thousand random lives keep every promise about money")
    func randomLives() {
        var reached: Set<String> = []
        for seed in 0..<UInt64(30_000) {
            var walk = LifeWalk(seed: seed)
            walk.run()
            reached.formUnion(walk.trace)
            if let problem = walk.problem {
                Issue.record("seed \(seed): \(problem)\n\(walk.trace.joined(separator: "\n"))")
                return
            }
        }
        for step in LifeWalk.steps { #expect(reached.contains { $0.hasPrefix(step) }, "\(step) was never reached") }
    }
}

/// One random life: performs what the value says, as an exchange would, and holds it to the promises.
struct LifeWalk {
    /// What is under way outside the value.
    private enum Wire {
        /// The unpaid request is out.
        case unpaid
        /// The 402 is being read.
        case collecting
        /// A connection for the paid request is being made.
        case connecting
        /// The paid request is out.
        case paid
        /// The answer to the payment is being read.
        case judging
        /// An answer is being relayed.
        case answering
        /// An answer is being read for a repetition.
        case keeping
        case nothing
    }

    /// What a walk can come by; every one has to be reached by some seed.
    static let steps = [
        "relay", "collect", "book", "decide", "connect", "void at decision", "answer at decision", "send 1", "send 2",
        "answer failure", "void failure", "resend", "doubt", "break off", "agent drops", "agent voids", "agent waits",
        "agent awaits", "judge", "judged", "refused to send", "dropped", "metered", "not metered", "metered for nobody",
        "keep", "keeps the rest", "drops what is kept", "comes back and waits", "comes back and reads",
    ]

    private(set) var trace: [String] = []
    private(set) var problem: String?
    private let random: SeededRandom
    private var life: ExchangeLife
    private var wire: Wire
    private var isMetering: Bool
    private var isBodyComplete: Bool
    private var isDeciding = false
    private var hasAgent = true
    /// Whether the books have the payment as this exchange's.
    private var isOwner = true
    private var signed = 0
    private var booked = 0
    private var sent = 0
    private var answered = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        isBodyComplete = random.word() & 1 == 0
        isMetering = random.word() % 3 == 0
        life = ExchangeLife(isMetered: isMetering)
        wire = isMetering ? .nothing : .unpaid
    }

    private func chance(_ outOf: UInt64) -> Bool { random.word() % outOf == 0 }

    mutating func run() {
        var steps = 0
        while problem == nil, wire != .nothing || isDeciding || isMetering || life.phase == .completing {
            steps += 1
            guard steps < 200 else { return fail("it never ends") }
            step()
        }
        check(booked == signed, "\(signed) signed, \(booked) booked")
        check(
            answered == 1 || (!hasAgent && answered == 0),
            "answered \(answered) times with\(hasAgent ? "" : "out") an agent")
        check(sent == 0 || signed == 1, "sent without a signature")
        check(life.phase == .over, "left in \(life.phase)")
    }

    private mutating func step() {
        if hasAgent, chance(8) { return agentLeaves() }
        if !hasAgent, life.isKept || wire == .keeping, chance(3) { return agentComesBack() }
        if hasAgent, !isBodyComplete, chance(3) {
            isBodyComplete = true
            if life.bodyCompleted() { isDeciding = true }
            return
        }
        if isMetering { return chance(2) ? meter() : () }
        if isDeciding { return chance(2) ? decide() : () }
        switch wire {
        case .unpaid: chance(4) ? upstreamFails() : respond(mayPay: !chance(5))
        case .collecting: collect()
        case .connecting: chance(4) ? upstreamFails() : connected()
        case .paid: chance(2) ? upstreamFails() : respond(mayPay: chance(2))
        case .judging: chance(3) ? upstreamFails() : judge()
        case .answering: chance(6) ? upstreamFails() : finish()
        case .keeping: chance(3) ? upstreamFails() : chance(6) ? finish() : ()
        case .nothing: break
        }
    }

    // MARK: Events

    private mutating func meter() {
        isMetering = false
        switch life.metered(isBooked: !chance(3)) {
        case .send:
            note("metered")
            check(hasAgent, "sent for an agent that has gone")
            wire = .unpaid
        case .answer:
            note("not metered")
            answer()
            end()
        case .nothing:
            note("metered for nobody")
            check(!hasAgent, "a metered call came to nothing")
        }
    }

    private mutating func respond(mayPay: Bool) {
        let needsBody = wire == .paid && chance(3)
        switch life.responseArrived(mayPay: mayPay, needsBody: needsBody) {
        case .judge:
            note("judge")
            check(hasAgent, "reads an answer that nobody waits for")
            wire = .judging
        case .relay:
            note("relay")
            answer()
            wire = .answering
        case .collect:
            note("collect")
            wire = .collecting
        case .book(let isRepeat, let fate):
            note("book")
            check(isRepeat == (sent == 2), "the second sending is mistaken for the first, or the first for the second")
            book(afterSending: true)
            see(to: fate)
        }
    }

    private mutating func judge() {
        guard let (isRepeat, fate) = life.judged() else { return fail("a judgement came to nothing") }
        note("judged")
        check(isRepeat == (sent == 2), "one sending is mistaken for another")
        check((fate == .relay) == hasAgent, "answers nobody, or does not answer")
        book(afterSending: true)
        see(to: fate)
    }

    private mutating func see(to fate: ExchangeLife.AnswerFate) {
        switch fate {
        case .relay:
            wire = .answering
            answer()
        case .keep:
            note("keep")
            check(!hasAgent, "keeps an answer from its agent")
            wire = .keeping
        case .drop: wire = .nothing
        }
    }

    private mutating func collect() {
        if chance(6) { return upstreamFails() }
        if chance(6) {
            note("dropped")
            life.challengeDropped()
            answer()
            wire = .answering
            return
        }
        wire = .nothing
        if life.challengeRead(isBodyComplete: isBodyComplete) { isDeciding = true }
    }

    private mutating func decide() {
        isDeciding = false
        // An engine that is told that the agent has gone may be past the point of asking.
        let isPayment = hasAgent ? !chance(3) : chance(2)
        if isPayment { signed += 1 }
        note("decide")
        switch life.decided(isPayment ? .payment : .nothing) {
        case .connect:
            note("connect")
            wire = .connecting
        case .void:
            note("void at decision")
            book(afterSending: false)
        case .answer:
            note("answer at decision")
            answer()
            end()
        case .join: check(false, "a request joined another that was not to")
        case .send: check(false, "a request was repeated that nobody signed in for")
        case .nothing:
            check(!isPayment, "a payment came to nothing")
        }
    }

    private mutating func connected() {
        guard life.paidConnected() else {
            note("refused to send")
            check(!hasAgent, "a connection was refused although the agent waits")
            return upstreamFails()
        }
        sent += 1
        note("send \(sent)")
        check(sent <= 2, "sent \(sent) times")
        check(hasAgent, "sent for an agent that has gone")
        check(signed == 1 && booked == 0, "sent what is not signed, or booked already")
        wire = .paid
    }

    private mutating func upstreamFails() {
        let event = life.upstreamFailed(beforeAnyByte: chance(2))
        wire = .nothing
        switch event {
        case .answer:
            note("answer failure")
            answer()
            end()
        case .void:
            note("void failure")
            book(afterSending: false)
            answer()
            end()
        case .resend:
            note("resend")
            check(sent == 1, "repeated what was sent \(sent) times")
            wire = .connecting
        case .doubt(let thenAnswer):
            note("doubt")
            book(afterSending: true)
            if thenAnswer { answer() }
            end()
        case .breakOff:
            note("break off")
            check(wire == .nothing && hasAgent, "broke off an answer that nobody reads")
            end()
        case .drop:
            note("drops what is kept")
            check(!hasAgent, "dropped what an agent reads")
            end()
        case .nothing:
            fail("a failure came to nothing in \(life.phase)")
        }
    }

    private mutating func agentLeaves() {
        hasAgent = false
        let mayKeep = chance(2)
        switch life.agentLeft(isKept: mayKeep) {
        case .drop:
            note("agent drops")
            check(!mayKeep || wire != .answering, "dropped an answer that could be kept")
            end()
        case .waitForDecision:
            note("agent waits")
            check(isDeciding, "waits for a decision that nobody makes")
        case .void:
            note("agent voids")
            book(afterSending: false)
            end()
        case .awaitOutcome(let losesSight):
            note("agent awaits")
            check(wire == .paid || wire == .connecting || wire == .judging, "awaits an outcome that cannot come")
            check(losesSight == isOwner, "the payment of another exchange was put in doubt, or its own was not")
            check(life.isFenced, "its agent has gone, and it still decides about the payment")
            isOwner = false
        case .keep:
            note("keeps the rest")
            check(wire == .answering && mayKeep, "keeps what cannot be kept")
            // Whoever comes back reads from the first byte.
            answered = 0
            wire = .keeping
        }
    }

    private mutating func agentComesBack() {
        let ownsPayment = chance(2)
        guard let step = life.agentIsBack(ownsPayment: ownsPayment) else { return fail("it kept an answer for nobody") }
        hasAgent = true
        switch step {
        case .await:
            note("comes back and waits")
            isOwner = ownsPayment
            check(life.isFenced == !ownsPayment, "a payment has two owners, or none")
        case .replay:
            note("comes back and reads")
            check(wire == .keeping, "reads what is not kept")
            answer()
            wire = .answering
        }
    }

    private mutating func finish() {
        end()
    }

    // MARK: Effects

    private mutating func end() {
        life.finished()
        wire = .nothing
    }

    private mutating func answer() {
        answered += 1
        check(hasAgent, "answered an agent that has gone")
    }

    private mutating func book(afterSending: Bool) {
        booked += 1
        check(signed == 1 && booked == 1, "booked \(booked) times, signed \(signed)")
        check(afterSending == (sent > 0), afterSending ? "an outcome of what was not sent" : "voided what was sent")
    }

    private mutating func note(_ step: String) { trace.append(step) }

    private mutating func check(_ holds: Bool, _ text: String) {
        if !holds { fail(text) }
    }

    private mutating func fail(_ text: String) {
        problem = problem ?? text
    }
}
