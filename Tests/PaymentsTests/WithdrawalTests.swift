import Synchronization
import Testing

@testable import Payments

@Suite("A request that is given up")
struct WithdrawalTests {
    @Test("it is given up until money may be reserved, and then again when none is; its agent may leave at any time")
    func order() {
        let said = Mutex<[Bool]>([])
        let withdrawal = Withdrawal { isReserving in said.withLock { $0.append(isReserving) } }
        #expect(withdrawal.beginReserving())
        #expect(!withdrawal.withdrawBeforeReserving() && !withdrawal.isWithdrawn)
        withdrawal.endReserving()
        withdrawal.endReserving()
        #expect(said.withLock { $0 } == [true, false])
        #expect(withdrawal.beginReserving())
        withdrawal.withdraw()
        #expect(withdrawal.isWithdrawn)
        // Its exchange is over by now, and what it said of itself is another one's.
        withdrawal.endReserving()
        #expect(said.withLock { $0 } == [true, false, true])
    }

    @Test("nothing is reserved for a request that was given up")
    func givenUp() {
        let said = Mutex<[Bool]>([])
        let withdrawal = Withdrawal { isReserving in said.withLock { $0.append(isReserving) } }
        #expect(withdrawal.withdrawBeforeReserving())
        #expect(!withdrawal.beginReserving() && withdrawal.isWithdrawn)
        #expect(said.withLock { $0.isEmpty })
    }

    @Test("a wait ends once, at once where the request was given up before, and not when it is over")
    func wait() {
        let ended = Mutex(0)
        let end: @Sendable () -> Void = { ended.withLock { $0 += 1 } }
        let withdrawal = Withdrawal()
        withdrawal.whenWithdrawn(end)
        withdrawal.whenWithdrawn(nil)
        withdrawal.withdraw()
        #expect(ended.withLock { $0 } == 0)
        withdrawal.whenWithdrawn(end)
        withdrawal.withdraw()
        #expect(ended.withLock { $0 } == 1)
    }
}
