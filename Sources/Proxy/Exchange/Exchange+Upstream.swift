import FaultPoints
import Ledger
import Logging
import NIOCore
import Payments
import Primitives
import SystemCrypto
import Transport
import X402

extension Exchange: UpstreamReceiver {
    func upstream(_ connection: UpstreamConnection, didReceive head: ResponseHead) {
        progressed()
        let wasAsking = isAsking
        if isAsking, answersWithoutBody(head) { return }
        shared.services.meters.firstByte.record(times.endWait())
        let mayPay = head.status == 402 && route.host == nil && !upstreamRequest.carriesPayment
        let answer = payment == nil ? nil : PaidAnswer.read(from: head)
        switch life.responseArrived(mayPay: mayPay, needsBody: answer.map(needsBody) ?? false) {
        case .relay:
            if (200..<300).contains(head.status), let route = pricedRoute {
                shared.services.engine.servedUnpaid(on: route)
            }
            // Nothing is repeated any more.
            replay.release()
            relay(head, paid: nil)
        case .collect:
            collect(head)
        case .judge:
            held = holding(head)
            deadline = .now() + shared.services.timeouts.challenge
        case .book(let isRepeat, let fate):
            held = HeldAnswer()
            if let answer { paidAnswered(answer, isRepeat: isRepeat, then: fate, head: head) }
        }
        if wasAsking { updateBodyReading() }
    }

    func upstream(_ connection: UpstreamConnection, didReceiveBody bytes: ByteBuffer) {
        switch life.phase {
        case .judging:
            held.append(bytes)
            if held.byteCount > Challenge.maximumBytes { judge() }
        case .collecting:
            held.append(bytes)
            guard held.isTooLong else { return }
            do throws(ChallengeProblem) {
                _ = try Challenge.read(held.challengeSource)
                leaveAndDecide()
            } catch .absent {
                life.challengeDropped()
                relayUnpayable()
            } catch {
                // The agent is told that it is too long, so what has come of it is enough.
                leaveAndDecide()
            }
        case .answering:
            if firstRead != nil { firstRead?.body.append(bytes) } else { keeping?.answer.append(bytes) }
            let now = NIODeadline.now()
            standing.progress.made(at: now.milliseconds)
            deadline = now + gateway.timeouts.idle
            if keeping?.backlog.isEmpty == false {
                keeping?.backlog.append(bytes)
                return
            }
            answer.write(bytes, to: channel)
            if let channel, !channel.isWritable { connection.setReading(false) }
        case .keeping:
            keeping?.answer.append(bytes)
        default:
            break
        }
    }

    func upstreamDidReadAll(_ connection: UpstreamConnection) {
        guard life.phase == .answering else { return }
        bookDeliveryUnderWay()
        keepFirstRead()
        channel?.flush()
    }

    func upstreamDidFinish(_ connection: UpstreamConnection) {
        self.connection = nil
        switch life.phase {
        case .collecting:
            held.isComplete = true
            challengeRead()
        case .judging:
            held.isComplete = true
            judge()
        case .answering:
            keeping?.isComplete = true
            if keeping?.backlog.isEmpty ?? true { finish() }
        case .keeping:
            keeping?.isComplete = true
            place = nil
            if let openEntry { shared.services.openAnswers.complete(openEntry) }
        default:
            break
        }
    }

    func upstream(_ connection: UpstreamConnection, didFail failure: UpstreamFailure) {
        guard life.phase == .unpaid, !wasSentAgain, mayBeSentAgain(after: failure, on: connection) else {
            return failed(failure)
        }
        // A kept connection closed under us before it saw the request: once more, on a new one.
        wasSentAgain = true
        if isAsking { return askAgain(onKept: connection.isReused) }
        self.connection = nil
        sender = nil
        isRepeated = request.framing != .none
        replay.settle {
            // The disk may have refused the copy while it was waited for.
            if self.isRepeated, !self.replay.isReplayable { self.failed(failure) } else { self.connectUnpaid() }
        }
    }

    /// RFC 9110 section 9.2.2 lets a proxy repeat what is idempotent, by its method or because the agent says so with a key,
    /// and what was certainly not processed; a body must be there once more.
    private func mayBeSentAgain(after failure: UpstreamFailure, on connection: UpstreamConnection) -> Bool {
        let isClosed = failure == .closedBeforeResponse
        guard failure == .notProcessed || isClosed && (connection.isReused || isAsking) else { return false }
        // Without its body nothing can have been done yet.
        if isAsking { return true }
        return (failure == .notProcessed || isIdempotent)
            && (request.framing == .none || (isBodyComplete && replay.isReplayable))
    }

    /// Whether doing the request twice is the same as doing it once, by its method (RFC 9110 section 9.2.2) or because the
    /// agent says so with a key.
    var isIdempotent: Bool {
        ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"].contains(request.method) || admitted.idempotencyKey != nil
    }

    func upstream(_ connection: UpstreamConnection, isWritable: Bool) {
        if isWritable { sender?.resume() }
        updateBodyReading()
    }
}
