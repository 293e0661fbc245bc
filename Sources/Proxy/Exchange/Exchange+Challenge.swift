import FaultPoints
import Ledger
import Logging
import NIOCore
import Payments
import Primitives
import SystemCrypto
import Transport
import X402

/// From a 402 to the engine's decision.
extension Exchange {
    /// An answer whose head has just come, kept back.
    func holding(_ head: ResponseHead) -> HeldAnswer {
        HeldAnswer(head, framing: head.framing(answering: request.method), at: shared.services.clock.now())
    }

    func collect(_ head: ResponseHead) {
        connection?.setReading(true)
        held = holding(head)
        guard isBodyComplete, !held.endsWithConnection else {
            // An early 402: what is still to come of the body is for the repetition only. And nobody waits for the
            // end of an answer that has no end but the connection's, when its head says everything.
            sender = nil
            if held.hasReadableChallengeHeader { return leaveAndDecide() }
            return updateBodyReading()
        }
        // The end of its body is still the gateway's to send.
        times.beginWait()
        challengeDeadline = deadline
        let short = NIODeadline.now() + shared.services.timeouts.challenge
        deadline = deadline.map { min($0, short) } ?? short
    }

    /// The body of the 402 is slow: when its head says everything, nobody waits for the rest.
    ///
    /// Returns whether there is something else to wait for.
    func challengeIsLate() -> Bool {
        guard life.phase == .collecting, let whole = challengeDeadline else { return false }
        challengeDeadline = nil
        if held.hasReadableChallengeHeader { leaveAndDecide() } else { deadline = whole }
        return true
    }

    /// No more of the 402 comes: what there is of it decides, where it looks like a challenge.
    ///
    /// A challenge in the head is whole and is paid; one in the body is refused with the reason. Returns whether it is one.
    func decideByPart(because reason: String) -> Bool {
        guard life.phase == .collecting else { return false }
        held.cut = reason
        do throws(ChallengeProblem) {
            _ = try Challenge.read(held.challengeSource)
        } catch .absent {
            return false
        } catch {
            // The engine says what is wrong with it.
        }
        challengeDeadline = nil
        leaveAndDecide()
        return true
    }

    func leaveAndDecide() {
        dropConnection()
        challengeRead()
    }

    /// Leaves the connection that answered 402 when its body need not be read to the end.
    func dropConnection() {
        connection?.abandon()
        connection = nil
        sender = nil
    }

    func challengeRead() {
        deadline = nil
        times.endWait()
        if !isBodyComplete { dropConnection() }
        if life.challengeRead(isBodyComplete: isBodyComplete || !replay.isReplayable) { decide() }
        updateBodyReading()
    }

    func decide() {
        times.endWait()
        awaitDecision()
        replay.settle { self.askEngine() }
    }

    /// A decision may have to wait for others: at most as long as the gateway may take for an answer.
    func awaitDecision() {
        deadline = .now() + gateway.timeouts.firstByte(paidWithin: nil)
    }

    /// The decision has not come in time: the request is given up, unless money is reserved for it by now.
    func decisionIsLate() {
        guard withdrawal.withdrawBeforeReserving() else {
            // What is reserved is decided soon, and the books may still be against it.
            deadline = .now() + .seconds(1)
            return
        }
        respond(.decisionTimeout(gateway: gateway.name))
    }

    /// What a payment would be for.
    func subject(sellerDate: Timestamp?, maySignIn: Bool) -> PaidSubject {
        PaidSubject(
            agent: agent, claim: claim, gateway: gateway, method: request.method, target: route.target,
            content: replay.content,
            isChunked: request.framing == .chunked,
            outline: request.outline(target: route.target),
            idempotencyKey: admitted.idempotencyKey, sellerDate: sellerDate, maySignIn: maySignIn,
            buysAgain: admitted.buysAgain, isCapped: shared.services.agents.latest.mayHaveMoneyCap(agent))
    }

    func askEngine() {
        // Without a challenge it is the price that is learned which decides.
        guard held.head != nil else { return askForAttachment() }
        let bound = NIOLoopBound(self, eventLoop: shared.loop)
        let services = shared.services
        let source = held.challengeSource
        let subject = subject(
            sellerDate: held.sellerTime(at: shared.services.clock.now()),
            maySignIn: signIn == nil && !upstreamRequest.carriesSignIn)
        let withdrawal = withdrawal
        let loop = shared.loop
        let executor = shared.executor
        // A protocol is not switched on another request's connection.
        let open = JoinQuestion(
            admitted, of: claim, withdrawal: withdrawal, among: services.openAnswers, clock: services.clock,
            as: upstreamRequest.protocols.isEmpty ? .joining : .waiting)
        // What cannot be sent once more is not paid, nor what has taken too long.
        let declined: PaymentFailure? =
            replay.isReplayable
            ? isOutOfTime ? .exchangeTimeout : nil : .unrepeatable(replay.loss ?? .tooLarge)
        services.bookings.begin()
        let start = NIODeadline.now()
        // On this loop: reading, vetting and signing take less than handing them to another thread and back.
        Task(executorPreference: executor) {
            let request = declined == nil ? await subject.request(services) : nil
            let answer: ChallengeAnswer
            if let request {
                answer = await services.engine.answer(source, for: request, open: open, withdrawal: withdrawal)
            } else {
                answer = await services.engine.decline(
                    source, for: subject.requestWithoutBody, because: declined ?? .bodyTooLarge)
            }
            if case .pay = answer { services.meters.signature.record(NIODeadline.now() - start) }
            if case .pay = answer {} else { services.bookings.end() }
            if case .joined(let ownsPayment) = answer, let entry = open.entry {
                loop.execute { bound.value.join(entry, ownsPayment: ownsPayment) }
            } else {
                loop.execute { bound.value.decided(answer) }
            }
        }
    }

    func decided(_ answer: ChallengeAnswer) {
        if life.phase == .deciding { deadline = nil }
        switch answer {
        case .pay(let payment): pay(payment)
        case .signIn(let header):
            guard life.decided(.signIn) == .send else { return }
            signIn = header
            held = HeldAnswer()
            start()
            connection?.flush()
        case .refuse, .passThrough, .joined, .abandoned:
            if life.decided(.nothing) == .answer { answerUnpaid(answer) }
        }
    }

    func pay(_ payment: AuthorizedPayment) {
        switch life.decided(.payment) {
        case .connect:
            self.payment = payment
            if payment.isHeldRepetition { shared.services.meters.heldRepetitions.increment() }
            connectPaid()
        case .void, .send, .join, .answer, .nothing:
            shared.services.book(
                .neverSent(reason: "the agent went away before the payment was sent"), of: payment, on: shared.executor)
        }
        shared.services.engine.decisionIsTaken(of: payment)
    }

    func answerUnpaid(_ answer: ChallengeAnswer) {
        switch answer {
        case .refuse(let failure):
            if failure.isHeldRepetition { shared.services.meters.heldRepetitions.increment() }
            var problem = Problem(failure)
            if failure.leavesChallengeOpen { problem.challenge = held.head?.fields }
            respond(problem)
        case .passThrough: relayUnpayable()
        case .abandoned, .pay, .signIn, .joined: relayHeld()
        }
    }

    /// Passes on a 402 that no payment answers; from a prepaid gateway that is worth an operator's while.
    func relayUnpayable() {
        if gateway.billing == .prepaid { shared.services.noticeLowBalance(of: gateway.name, on: shared.executor) }
        relayHeld()
    }

    /// Passes the 402 on as it came.
    func relayHeld(paid: AgentResponse.Paid? = nil) {
        guard let head = held.head else { return }
        relay(head, paid: paid)
        guard life.phase == .answering else { return }
        for bytes in held.takeBody() { answer.write(bytes, to: channel) }
        guard held.isComplete else { return }
        finish()
    }
}

extension PaidSubject {
    /// The request by its whole body; nil when its copy cannot be read.
    fileprivate func request(_ services: ProxyServices) async -> PaymentRequest? {
        do {
            return try await request(on: services.threads, in: services.readingTurns)
        } catch {
            services.logger.error("replay copy not readable", metadata: ["problem": "\(error)"])
            return nil
        }
    }
}
