import Ledger
import Primitives
import Proxy
import TestSupport
import Testing

/// A seller that takes the money at once and answers when it may.
final class LateSeller: Sendable {
    /// The first paid request has come.
    let paid = Gate()
    /// The first part of its answer may be sent, and then the rest.
    let begin = Gate()
    let rest = Gate()
    /// The connection of the first paid request has ended.
    let left = Gate()
    private let count = Progress()

    /// Serves the first payment late and in two parts, each further one at once.
    func upstream(
        _ first: String, _ second: String = "", asking challenge: String = Seller.unpaid
    ) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() {
                guard Seller.isPaid(request) else {
                    try wire.send(challenge)
                    continue
                }
                guard self.count.next() == 0 else {
                    try wire.send(Respond.with(200, [Seller.report()], body: "again"))
                    continue
                }
                self.paid.open()
                Threads.spawn {
                    _ = try? wire.readToEnd()
                    self.left.open()
                }
                self.begin.waitBlocking()
                try wire.send(first)
                self.rest.waitBlocking()
                try wire.send(second)
                // A thread that reads would keep the connection open.
                wire.shutDown()
                return
            }
        }
    }

    static let first =
        "HTTP/1.1 200 OK\r\nx-mine: 1\r\n\(Seller.report())\r\nconnection: close\r\ncontent-length: 11\r\n\r\nbought"
    static let second = " once"

    /// Sends the request on a connection of its own, and leaves once the payment is with the seller.
    static func sendAndLeave(_ lab: Lab, _ seller: LateSeller) async throws {
        let wire = try lab.connect()
        try wire.send(lab.head("POST", "/lab/x", length: 1) + "q")
        #expect(await seller.paid.opened())
        wire.close()
        #expect(try await lab.wait(for: .inDoubt))
    }

    /// Sends the request as a client library repeats it.
    static func repeated(_ lab: Lab, _ fields: [String] = []) throws -> Wire {
        let wire = try lab.connect()
        let retry = ["x-stainless-retry-count: 1", "traceparent: 00-a-b-01"]
        try wire.send(lab.head("POST", "/lab/x", retry + fields, length: 1) + "q")
        return wire
    }
}
