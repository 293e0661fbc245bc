import Ledger
import NIOCore
import Payments

/// The answer to a payment on its way to the agent, as far as the books have not heard of its end.
struct PaidDelivery {
    let payment: AuthorizedPayment
    /// What the answer's head meant for the payment.
    let event: PaymentEvent
    let status: Int
    /// The outcome, announced and not booked yet: where the end comes in the same read, both are booked in one step.
    var outcome: Outcome?

    /// Whether an agent that leaves now breaks off by itself what was settled and served, as a person does by pressing stop.
    var isStoppedByAgent: Bool { event == .settled && (200..<300).contains(status) }

    struct Outcome {
        let answer: PaidAnswer
        let isRepeat: Bool
        let isOrphan: Bool
        let note: String?
    }
}

extension Exchange {
    /// Says that the outcome of the payment is known, before the agent can hear of it, and has it booked at the end of this
    /// read, or before with the end of its answer.
    func beginDelivery(of answer: PaidAnswer, isRepeat: Bool, status: Int, note: String?) -> AgentResponse.Paid? {
        guard let payment else { return nil }
        let paid = reached(answer, of: payment, isRepeat: isRepeat)
        shared.services.engine.announceOutcome(of: payment)
        delivery = PaidDelivery(
            payment: payment, event: paid.event, status: status,
            outcome: PaidDelivery.Outcome(
                answer: answer, isRepeat: isRepeat, isOrphan: life.isFenced, note: note))
        return paid
    }

    /// One read is over: what it did not bring to its end is on its way.
    func bookDeliveryUnderWay() {
        guard let pending = delivery, let outcome = pending.outcome else { return }
        delivery?.outcome = nil
        shared.services.book(outcome, of: pending.payment, delivery: .underWay, on: shared.executor)
    }

    /// Books how the answer ended, once.
    func endDelivery(_ end: AnswerDelivery) {
        guard let pending = delivery else { return }
        delivery = nil
        shared.services.book(end, of: pending, on: shared.executor)
    }

    /// Hands the end of the answer to the agent's socket, and books whether it went through.
    ///
    /// Most answers fit into the socket's buffer, and then it is known at once.
    func flushDelivery(to channel: any AgentChannel) {
        guard var pending = delivery else { return channel.flush() }
        delivery = nil
        let (services, executor) = (shared.services, shared.executor)
        let receipt = DeliveryReceipt(status: pending.status) { news in
            guard news == .underWay else { return services.book(news, of: pending, on: executor) }
            guard let outcome = pending.outcome else { return }
            pending.outcome = nil
            services.book(outcome, of: pending.payment, delivery: .underWay, on: executor)
        }
        channel.flush { receipt.isWritten($0) }
        receipt.flushed()
    }
}

extension ProxyServices {
    /// Books an outcome that was announced, with what is known of its answer by now.
    fileprivate func book(
        _ outcome: PaidDelivery.Outcome, of payment: AuthorizedPayment, delivery: AnswerDelivery,
        on executor: LoopExecutor
    ) {
        bookAnnounced(
            outcome.answer, of: payment, isRepeat: outcome.isRepeat, isOrphan: outcome.isOrphan, delivery: delivery,
            note: outcome.note, on: executor)
    }

    /// Books how an answer ended, together with its outcome where that is not booked yet.
    func book(_ end: AnswerDelivery, of pending: PaidDelivery, on executor: LoopExecutor) {
        if let outcome = pending.outcome {
            return book(outcome, of: pending.payment, delivery: end, on: executor)
        }
        bookings.begin()
        engine.announceOutcome(of: pending.payment)
        Task(executorPreference: executor) {
            await self.engine.book(end, of: pending.payment, after: pending.event)
            self.bookings.end()
        }
    }
}

/// Reports what becomes of the end of an answer once it was handed to the agent's socket: at once where the socket takes it
/// at once, else that it is on its way and, later, how that ended.
///
/// It outlives its exchange where the agent reads slowly. Used on the event loop.
final class DeliveryReceipt {
    private let status: Int
    private let report: (AnswerDelivery) -> Void
    private var end: AnswerDelivery?
    private var isFlushed = false

    /// Makes the receipt of an answer with a status.
    init(status: Int, report: @escaping (AnswerDelivery) -> Void) {
        self.status = status
        self.report = report
    }

    /// The socket has taken everything, or the agent has gone before.
    func isWritten(_ isWritten: Bool) {
        let end: AnswerDelivery = isWritten ? .whole(status: status) : .left(status: status)
        self.end = end
        if isFlushed { report(end) }
    }

    /// Everything was handed over.
    func flushed() {
        isFlushed = true
        report(end ?? .underWay)
    }
}
