import FaultPoints
import Ledger
import Logging
import NIOCore
import Payments
import Primitives
import SystemCrypto
import Transport
import X402

/// Whatever ends an exchange: failures, departures and the answer's end.
extension Exchange {
    // MARK: Failures

    func failed(_ failure: UpstreamFailure) {
        // The head has rejected the payment, and for bytes that were sent once its body could not have said anything else.
        if life.phase == .judging(isRepeat: false), payment?.isAdopted == false {
            connection = nil
            sender = nil
            held.isComplete = true
            held.takeBody()
            return judge()
        }
        if life.phase == .collecting {
            connection = nil
            var reason = "it broke off"
            if case .malformed = failure { reason = "the rest of it is not valid HTTP" }
            if decideByPart(because: reason) { return }
        }
        let event = life.upstreamFailed(beforeAnyByte: failure.isBeforeAnyByte)
        connection = nil
        sender = nil
        let gateway = gateway.name
        conclude(event, reason: failure.sentence) { .upstream(failure, gateway: gateway, payment: $0) }
    }

    /// The deadline has passed.
    func deadlinePassed() {
        if let expiry, expiry <= .now() { return totalTimePassed() }
        if waitsOn() { return }
        if stopWaiting(isRefusal: true) {
            return respond(.gatewayBusy(gateway: gateway.name, limit: gateway.limits.connections ?? 0))
        }
        if life.phase == .deciding { return decisionIsLate() }
        if life.phase.isJudging { return judge() }
        if challengeIsLate() || decideByPart(because: "the rest of it did not come in time") { return }
        if isAsking { return wordIsLate() }
        waitIsOver()
    }

    func waitIsOver() {
        deadline = nil
        let event = life.upstreamFailed(beforeAnyByte: false)
        connection?.abandon()
        connection = nil
        sender = nil
        let gateway = gateway.name
        conclude(event, reason: event == .void ? "no connection in time" : "no answer in time") {
            .firstByteTimeout(gateway: gateway, payment: $0)
        }
    }

    func conclude(
        _ event: ExchangeLife.OnFailure, reason: String, problem: (AgentResponse.Paid?) -> Problem
    ) {
        switch event {
        case .answer: respond(problem(joinedPayment))
        case .void: respond(problem(bookUnsent(reason: reason)))
        case .resend: connect { exchange, connection in exchange.sendPaid(on: connection) }
        case .doubt(let thenAnswer):
            let paid = book(.silence(reason: reason))
            guard thenAnswer else { return end() }
            // A repetition has a decision of its own, in which the payment counts as undelivered.
            if reader != nil, !shared.isStopping { endUnanswered() } else { respond(problem(paid)) }
        case .breakOff: breakOff()
        case .drop: end()
        case .nothing: break
        }
    }

    /// The answer cannot be completed.
    func breakOff() {
        let channel = channel
        end()
        channel?.exchangeDidBreak(isConnectionFramed: answer.endsWithConnection)
    }

    /// Ends what is under way, because the process is about to end.
    func cutOff() {
        withdrawal.withdraw()
        if stopWaiting() { return respond(.stopping) }
        switch life.phase {
        // Nothing was sent for it; should a payment come out of the decision yet, it is voided.
        case .metering, .completing, .deciding: respond(.stopping)
        case .over: break
        default: waitIsOver()
        }
    }

    /// Whether a part of an answer has gone to the agent.
    var hasBegunAnswer: Bool { life.phase == .answering }

    /// The agent's connection is closed.
    func agentLeft() {
        withdrawal.withdraw()
        keepFirstRead()
        let left = delivery
        if let left { endDelivery(.left(status: left.status)) }
        switch life.agentLeft(isKept: isOpenToRepetitions) {
        case .drop:
            end()
        case .waitForDecision:
            deadline = nil
        case .void:
            book(.neverSent(reason: "the agent went away before the payment was sent"))
            end()
        case .awaitOutcome(let losesSight):
            if losesSight, let payment { shared.services.loseSight(of: payment, on: shared.executor) }
            goOn(forAtLeast: shared.services.timeouts.outcome)
        case .keep:
            connection?.setReading(true)
            replay.release()
            goOn(joinableFor: left?.isStoppedByAgent == true ? gateway.policy.rules.repeatAfterFailure : nil)
        }
    }

    func end() {
        endDelivery(.cut)
        deadline = nil
        expiry = nil
        stopWaiting()
        place = nil
        standing.progress.protect(false)
        life.finished()
        connection?.abandon()
        connection = nil
        sender = nil
        closeToRepetitions()
        leaveJoined()
        firstRead = nil
        keeping = nil
        reader = nil
        if selfReference != nil {
            shared.deadlines.remove(self)
            shared.orphans[ObjectIdentifier(self)] = nil
            selfReference = nil
        }
    }

    // MARK: The answer

    func respond(_ problem: Problem) {
        guard let channel else { return end() }
        let closing = problem.closesConnection || mustClose || !answered.head.keepsAlive
        channel.write(
            problem.response(
                isHead: request.method == "HEAD", closing: closing, now: shared.services.clock.now(),
                allocator: allocator))
        channel.flush()
        end()
        channel.exchangeDidFinish(closing: closing, isOwnAnswer: true)
    }

    /// Whether no other request is read behind this one.
    var mustClose: Bool { !isBodyComplete || shared.isStopping }

    func relay(_ head: ResponseHead, paid: AgentResponse.Paid?) {
        let location = RedirectRule.location(of: head, route: answered.route)
        if case .refused(let redirect) = location {
            connection?.abandon()
            connection = nil
            held.takeBody()
            return respond(.redirectRefused(redirect, gateway: gateway.name, payment: paid))
        }
        let overhead = reader?.overhead ?? times.overhead()
        shared.services.meters.overhead.record(overhead)
        let response = AgentResponse(
            head, to: answered.head, closing: mustClose, paid: paid, location: location,
            overhead: overhead, now: shared.services.clock.now(), allocator: allocator)
        answer = AnswerRelay(response)
        channel?.write(response.head)
        deadline = .now() + gateway.timeouts.idle
    }

    func finish() {
        guard life.phase == .answering else { return }
        let channel = channel
        if let channel { flushDelivery(to: channel) }
        if let answered = times.answered {
            shared.services.meters.relay.record(NIODeadline.now() - answered)
        }
        end()
        channel?.exchangeDidFinish(closing: answer.closesConnection, isOwnAnswer: false)
    }

    /// The agent's connection can or cannot take more.
    func agentWritabilityChanged(_ isWritable: Bool) {
        if isWritable { tellTaken() }
        guard life.phase == .answering else {
            // Interim responses were not read, and nothing was read after them.
            if isWritable { connection?.setReading(true) }
            return
        }
        if isWritable, keeping?.backlog.isEmpty == false { return replayBacklog() }
        connection?.setReading(isWritable)
    }
}
