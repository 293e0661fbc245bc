import Ledger
import NIOCore
import Payments
import Primitives
import Transport

/// The head that goes back to the agent: the gateway's own, less what is for one hop or ours, plus what was paid.
struct AgentResponse {
    /// How the body travels on.
    enum BodyRelay {
        /// As it comes.
        case verbatim
        /// With the chunked coding removed, for a peer that speaks HTTP/1.0.
        case dechunked(ChunkScanner)
    }

    /// The head's bytes.
    let head: ByteBuffer
    /// How the body travels on.
    let relay: BodyRelay
    /// Whether the connection ends behind this response.
    let closesConnection: Bool
    /// Whether nothing but the end of the connection tells the agent where the body ends.
    let endsWithConnection: Bool

    /// What was paid for a response.
    struct Paid {
        let payment: AuthorizedPayment
        let event: PaymentEvent
        /// What is counted for it now, in units of its token.
        let amount: UInt256

        /// What the books hold of it now.
        var state: PaymentState { payment.state.after(event) ?? .inDoubt }

        /// Writes the fields that tell an agent of a payment, in an answer with `status`; `mayBeRepeated` where client
        /// libraries may repeat the request by themselves.
        func write(status: Int, mayBeRepeated: Bool = false, to head: inout ByteBuffer) {
            let terms = payment.terms
            head.writeString("purser-payment: \(payment.id)\r\npurser-outcome: \(state.rawValue)\r\n")
            let amount = TokenAmount.decimalText(of: amount, decimals: terms.decimals)
            head.writeString("\(state.isOpen ? "purser-exposed" : "purser-paid"): \(amount) \(terms.symbol)\r\n")
            let left = Remaining(payment.usage).text
            if !left.isEmpty { head.writeString("purser-remaining: \(left)\r\n") }
            // Client libraries repeat 408, 409, 429 and 5xx by themselves; behind a payment that could cost twice.
            if !(200..<300).contains(status), status != 101, !mayBeRepeated {
                head.writeString("x-should-retry: false\r\n")
            }
        }
    }

    init(
        _ response: ResponseHead, to request: RequestHead, closing: Bool, paid: Paid?, location: RedirectRule.Location,
        overhead: TimeAmount, now: Timestamp, allocator: ByteBufferAllocator
    ) {
        let fields = response.fields
        let mayBeRepeated = paid?.mayBeRepeated(after: response, at: now) ?? false
        let framing = response.framing(answering: request.method)
        let options = fields.connectionOptions
        var head = allocator.buffer(capacity: 1024)
        head.writeString("HTTP/1.1 \(response.status) ")
        head.writeString(response.reason)
        head.writeString("\r\n")
        var hasDate = response.status < 200
        for line in fields.lines {
            switch line.name {
            case .purser, .purserToken, .purserPrice, .purserRepeat, .purserVia: continue
            // Behind a payment, a second challenge is not an invitation: an agent's own client must not answer it.
            case .paymentRequired, .xPaymentRequired: if paid != nil { continue }
            // Some clients would read it as the name that it is an alias of.
            case .alias: continue
            case .date: hasDate = true
            // Nothing follows an interim answer or a 204, whatever it says, and clients differ in whom they believe. All else
            // is written as it was read, since a number with zeros in front is octal to some.
            case .contentLength:
                if response.status >= 200, response.status != 204, let length = response.declaredLength {
                    head.writeContentLength(length)
                }
                continue
            case .location:
                if location == .removed { continue }
                if case .rewritten(let value) = location {
                    head.writeString("location: \(value)\r\n")
                    continue
                }
            default: if line.name.isHopByHop { continue }
            }
            // Two of these read as neither, and clients would repeat what was paid for.
            if paid != nil, !mayBeRepeated, line.name == .other, fields.name(of: line) == "x-should-retry" { continue }
            if let options, options.contains(fields.name(of: line)) { continue }
            fields.copy(line, to: &head)
        }
        var closes = closing || !request.keepsAlive
        var relay = BodyRelay.verbatim
        var endsWithConnection = false
        switch framing {
        case .chunked where request.isHTTP10:
            relay = .dechunked(ChunkScanner())
            endsWithConnection = true
            closes = true
        case .chunked: head.writeString("transfer-encoding: chunked\r\n")
        case .untilClose:
            endsWithConnection = true
            closes = true
        case .none, .length: break
        }
        // RFC 9110 section 6.6.1.
        if !hasDate { head.writeString("date: \(now.httpDate)\r\n") }
        paid?.write(status: response.status, mayBeRepeated: mayBeRepeated, to: &head)
        head.writeString("purser-overhead-us: ")
        head.writeDecimal(overhead.nanoseconds / 1000)
        head.writeString("\r\n")
        if response.status == 101, let line = fields.first(.upgrade) {
            head.writeString("connection: upgrade\r\n")
            fields.copy(line, to: &head)
        } else if closes {
            head.writeString("connection: close\r\n")
        } else if request.isHTTP10 {
            head.writeString("connection: keep-alive\r\n")
        }
        head.writeString("\r\n")
        self.head = head
        self.relay = relay
        closesConnection = closes
        self.endsWithConnection = endsWithConnection
    }
}

extension ByteBuffer {
    /// Writes the field that gives the length of a body, of at most 18 digits.
    mutating func writeContentLength(_ length: UInt64) {
        writeString("content-length: ")
        writeDecimal(Int64(clamping: length))
        writeString("\r\n")
    }

    /// Writes a number that is not negative in decimal, without a string in between: every answer has one.
    mutating func writeDecimal(_ number: Int64) {
        var scale: Int64 = 1
        while number / scale >= 10 { scale *= 10 }
        while scale > 0 {
            writeInteger(UInt8(0x30 + number / scale % 10))
            scale /= 10
        }
    }
}
