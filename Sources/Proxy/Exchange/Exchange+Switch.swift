import NIOCore
import Payments
import Transport

/// Answers that are not final ones: interim responses, and a switch to another protocol.
extension Exchange {
    func upstream(_ connection: UpstreamConnection, didReceiveInterim head: ResponseHead) {
        if isAsking, head.status == 100 { return stopAsking() }
        // Some client libraries take any interim response but 100 for the answer, and would leave what was paid for.
        guard life.phase == .unpaid, !life.agentIsGone, let channel,
            let bytes = InterimResponse.bytes(of: head, to: request, allocator: allocator)
        else { return }
        channel.write(bytes)
        channel.flush()
        if !channel.isWritable { connection.setReading(false) }
    }

    func upstream(_ connection: UpstreamConnection, didSwitch head: ResponseHead) {
        shared.services.meters.firstByte.record(times.endWait())
        switch life.responseArrived(mayPay: false) {
        case .relay:
            tunnel(head, on: connection, paid: nil)
        case .book(let isRepeat, let fate):
            let paid = book(.read(from: head), isRepeat: isRepeat, delivery: .whole(status: head.status))
            if fate == .relay { tunnel(head, on: connection, paid: paid) } else { end() }
        case .collect, .judge:
            // Only a 402 is a challenge.
            end()
        }
    }

    /// Tells the agent of the switch and leaves both connections to a tunnel.
    private func tunnel(_ head: ResponseHead, on connection: UpstreamConnection, paid: AgentResponse.Paid?) {
        guard let channel, let slot = tunnelSlot else { return end() }
        relay(head, paid: paid)
        // A refused redirect is an answer of its own.
        guard life.phase == .answering else { return }
        channel.flush()
        self.connection = nil
        slot.hold(place)
        tunnelSlot = nil
        end()
        channel.exchangeDidSwitch(on: connection, as: slot)
    }
}
