import NIOCore
import Primitives
import Transport

/// How many proxies an OPTIONS request may still pass (RFC 9110 section 7.6.2); in other methods the field means nothing.
enum MaxForwards {
    /// The field is there twice, or is no number.
    struct Malformed: Error {}

    /// How many proxies may still forward a request; nil where it says nothing of it.
    static func read(_ head: RequestHead) throws(Malformed) -> UInt64? {
        guard head.method == "OPTIONS" else { return nil }
        let lines = head.fields.lines.filter { $0.name == .maxForwards }
        guard let line = lines.first else { return nil }
        let digits = head.fields.value(line)
        guard lines.count == 1, (1...18).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) })
        else {
            throw Malformed()
        }
        return digits.reduce(0) { $0 * 10 + UInt64($1 - 0x30) }
    }

    /// Whether no proxy may forward a request any more.
    static func isLast(_ head: RequestHead) -> Bool { (try? read(head)) == 0 }

    /// The hops of an admitted request that goes on, at least one; nil where the field stays as it is.
    static func hops(of head: RequestHead) -> UInt64? {
        guard let hops = try? read(head), hops > 0 else { return nil }
        return hops
    }
}

extension AgentConnection {
    /// Answers OPTIONS in place of the gateway.
    func answerOptions(_ head: RequestHead) {
        guard let context else { return }
        let closing = head.framing != .none || shared.isStopping || !head.keepsAlive
        var bytes = context.channel.allocator.buffer(capacity: 256)
        bytes.writeString("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nallow: \(Problem.servedMethods)\r\n")
        bytes.writeString("date: \(services.clock.now().httpDate)\r\n")
        if closing { bytes.writeString("connection: close\r\n") }
        bytes.writeString("\r\n")
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        exchangeDidFinish(closing: closing, isOwnAnswer: true)
    }
}
