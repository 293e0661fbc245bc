import Ledger
import NIOCore
import Payments
import Transport

/// A gateway that gives no word before it gets a body, as one agent has found.
struct Unasked: Hashable {
    let gateway: String
    let agent: String
}

/// Large uploads to where payment is likely asked: the gateway is asked first, and the body goes there once.
///
/// RFC 9110 section 10.1.1.
extension Exchange {
    /// Bodies from this size on are worth the question.
    static let expectationThreshold: UInt64 = 64 << 10
    /// How long a gateway may take to say that it wants the body; one that knows no expectations says nothing.
    static let expectationPatience = TimeAmount.seconds(1)
    /// Bytes of the body that are read meanwhile.
    private static let expectationBacklog = 256 << 10

    /// Whether the gateway is asked before it gets the body.
    var asksFirst: Bool {
        guard signIn == nil, !isRepeated, upstreamRequest.protocols.isEmpty,
            !shared.unasked.contains(expectation)
        else { return false }
        switch request.framing {
        case .none, .untilClose: return false
        case .length(let length): guard length >= Self.expectationThreshold else { return false }
        case .chunked: break
        }
        return pricedRoute.map(shared.services.engine.asksPayment) ?? false
    }

    /// Where the question is asked, and by whom: what comes of one agent's question is not decided for another.
    private var expectation: Unasked { Unasked(gateway: gateway.name, agent: agent.name) }

    /// Whether as much of the body waits for the gateway's word as may.
    var waitsForWord: Bool { unsent.reduce(0) { $0 + $1.readableBytes } >= Self.expectationBacklog }

    /// Sends the head alone.
    func ask(on connection: UpstreamConnection) {
        isAsking = true
        connection.write(upstreamRequest.bytes(expectingContinue: true, mark: mark(on: connection)))
        deadline = .now() + Self.expectationPatience
    }

    /// The gateway wants the body.
    func stopAsking() {
        guard isAsking, let connection else { return }
        isAsking = false
        sendArrived(on: connection)
        deadline = .now() + gateway.timeouts.firstByte(paidWithin: nil)
        connection.flush()
        updateBodyReading()
    }

    /// The gateway has said nothing for long enough: it gets the body, and is not asked again.
    func wordIsLate() {
        shared.unasked.insert(expectation)
        stopAsking()
    }

    /// The gateway answers for good without having seen the body; returns whether that answer is not for the agent.
    func answersWithoutBody(_ head: ResponseHead) -> Bool {
        guard head.status >= 300 else {
            // It serves what it has not seen all of, and wants the rest.
            stopAsking()
            return false
        }
        isAsking = false
        guard head.status == 417 else {
            unsent = []
            return false
        }
        // It cannot be asked, and gets everything as if nobody had.
        shared.unasked.insert(expectation)
        dropConnection()
        connectUnpaid()
        return true
    }

    /// A connection closed under the question, of which nothing can have been done yet: a kept one as they do, a new one since
    /// its gateway takes no questions.
    func askAgain(onKept isKept: Bool) {
        if !isKept { shared.unasked.insert(expectation) }
        isAsking = false
        connection = nil
        connectUnpaid()
    }
}
