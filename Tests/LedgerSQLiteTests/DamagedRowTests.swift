import GRDB
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

@Suite("A damaged row")
struct DamagedRowTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("ledger.sqlite")
    }

    private static let late = Timestamp.vectors.adding(seconds: 1000)

    /// A ledger with some payments whose agent has the cap for them.
    private func ledger(payments: ClosedRange<UInt64>, _ event: PaymentEvent? = nil) async throws {
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(100_000))]))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in payments {
                group.addTask {
                    try await ledger.reserve(.sample(number))
                    if let event { try await ledger.book(event, of: .sample(number)) }
                }
            }
            try await group.waitForAll()
        }
        try ledger.close()
    }

    /// Changes payments of the closed file as somebody can who has it, whatever its rules say.
    private func damage(_ numbers: [UInt64], _ change: String = "amount = zeroblob(31)") throws {
        let direct = try DatabaseQueue(path: path)
        try direct.write { database in
            try database.execute(
                sql: "PRAGMA ignore_check_constraints = ON; DROP TRIGGER IF EXISTS payments_fixed")
            for number in numbers {
                let id = Hex.encode(PaymentIntent.sample(number).id.bytes)
                try database.execute(sql: "UPDATE payments SET \(change) WHERE id = x'\(id)'")
            }
        }
        try direct.close()
    }

    private func states(_ ledger: SQLiteLedger, _ numbers: [UInt64]) async throws -> Set<PaymentState?> {
        var states: Set<PaymentState?> = []
        for number in numbers { states.insert(try await ledger.payment(PaymentIntent.sample(number).id)?.state) }
        return states
    }

    @Test("of one payment fails that payment alone, whoever shares its commit")
    func neighbours() async throws {
        try await ledger(payments: 1...60)
        let bad: Set<UInt64> = [29, 30, 31]
        try damage(bad.sorted())
        let ledger = try SQLiteLedger(path: path)
        let failed = await withTaskGroup(of: (UInt64, LedgerError)?.self) { group in
            for number: UInt64 in 1...60 {
                group.addTask {
                    do throws(LedgerError) {
                        try await ledger.book(.settled, of: .sample(number))
                        return nil
                    } catch {
                        return (number, error)
                    }
                }
            }
            return await group.reduce(into: [UInt64: LedgerError]()) { all, one in if let one { all[one.0] = one.1 } }
        }
        #expect(Set(failed.keys) == bad)
        for error in failed.values {
            guard case .damaged = error else {
                Issue.record("\(error)")
                continue
            }
        }
        #expect(try await states(ledger, (1...60).filter { !bad.contains($0) }) == [.settled])
    }

    @Test("of one idempotency key fails the requests with that key alone")
    func key() async throws {
        let first = try SQLiteLedger(path: path)
        try await first.add(.sample(caps: [CapLimit(.lifetime, .cents(100_000))]))
        func keyed(_ number: UInt64, _ key: UInt64) -> ReservationRequest {
            ReservationRequest(.sample(number), idempotencyKey: .numbered(key))
        }
        _ = try await first.reserve(keyed(1, 5), at: .vectors)
        try first.close()
        let direct = try DatabaseQueue(path: path)
        try await direct.write {
            try $0.execute(
                sql: "PRAGMA ignore_check_constraints = ON; UPDATE request_keys SET fingerprint = zeroblob(3)")
        }
        try direct.close()
        let ledger = try SQLiteLedger(path: path)
        let granted = await withTaskGroup(of: UInt64?.self) { group in
            for number: UInt64 in 2...61 {
                let request = keyed(number, (29...32).contains(number) ? 5 : 1000 + number)
                group.addTask { (try? await ledger.reserve(request, at: .vectors))?.record == nil ? nil : number }
            }
            return await group.reduce(into: Set<UInt64>()) { all, one in if let one { all.insert(one) } }
        }
        #expect(granted == Set((2...61).filter { !(29...32).contains($0) }))
    }

    @Test(
        "is told of and passed over by what is due for all: at the start, and behind the windows",
        arguments: ["amount = zeroblob(31)", "reserved_at = 99999999999999", "nonce = randomblob(3)"])
    func duties(change: String) async throws {
        try await ledger(payments: 1...9)
        try damage([4, 5], change)
        let ledger = try SQLiteLedger(path: path)
        let doubted = try await ledger.doubtAttended(at: .vectors)
        #expect(doubted.value == 7 && doubted.damage.count == 2)
        #expect(try await states(ledger, [1, 2, 3, 6, 7, 8, 9]) == [.inDoubt])
        try ledger.close()
        try damage([6], change)
        let again = try SQLiteLedger(path: path)
        let closed = try await again.closeOverdue(OverduePolicy(), at: Self.late)
        #expect(closed.value == 6 && closed.damage.count == 1)
        #expect(try await states(again, [1, 2, 3, 7, 8, 9]) == [.presumed])
    }

    @Test("does not keep the others from their proof by the chain")
    func unproven() async throws {
        try await ledger(payments: 1...5, .lostSight)
        try damage([2])
        let ledger = try SQLiteLedger(path: path)
        let found = try await ledger.unproven(network: "eip155:42161", limit: 5)
        #expect(Set(found.value.map(\.id)) == Set([1, 3, 4, 5].map { PaymentIntent.sample($0).id }))
        #expect(found.damage.count == 1)
    }

    @Test("in the middle of a long duty does not stop it, portion by portion")
    func portions() async throws {
        try await ledger(payments: 1...1203, .lostSight)
        try damage([7, 600, 1202])
        let ledger = try SQLiteLedger(path: path)
        let closed = try await ledger.closeOverdue(OverduePolicy(), at: Self.late)
        #expect(closed.value == 1200 && closed.damage.count == 3)
        #expect(try await ledger.closeOverdue(OverduePolicy(), at: Self.late).value == 0)
    }
}
