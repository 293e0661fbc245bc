import Payments
import Testing

@testable import Proxy

@Suite("The end of an answer at the agent's socket")
struct DeliveryReceiptTests {
    @Test("an answer has arrived when the socket has taken its last byte, and not when it was handed over")
    func order() {
        var reports: [AnswerDelivery] = []
        func receipt() -> DeliveryReceipt {
            reports = []
            return DeliveryReceipt(status: 200) { reports.append($0) }
        }
        let atOnce = receipt()
        atOnce.isWritten(true)
        #expect(reports.isEmpty)
        atOnce.flushed()
        #expect(reports == [.whole(status: 200)])

        let gone = receipt()
        gone.isWritten(false)
        gone.flushed()
        #expect(reports == [.left(status: 200)])

        let slow = receipt()
        slow.flushed()
        #expect(reports == [.underWay])
        slow.isWritten(true)
        #expect(reports == [.underWay, .whole(status: 200)])

        let left = receipt()
        left.flushed()
        left.isWritten(false)
        #expect(reports == [.underWay, .left(status: 200)])
    }
}
