import Ledger
import Primitives
import Synchronization
import TestSupport
import Testing
import X402

@testable import Payments

/// Callers in the order in which they were admitted.
private final class Admitted: Sendable {
    private let order = Mutex<[Int]>([])

    var numbers: [Int] { order.withLock { $0 } }

    func add(_ number: Int) { order.withLock { $0.append(number) } }
}

@Suite("Payments before the first one is accepted")
struct SlowStartTests {
    private static let pair = SlowStart.Pair(agent: "scout", gateway: "lab")
    private static let rejected = PaidAnswer.response(status: 402, report: nil)
    private static let accepted = PaidAnswer.response(status: 200, report: nil)

    private static func desk() async throws -> Desk {
        try await Desk(caps: [CapLimit(.day, .cents(100_000))], outstandingBeforeAcceptance: SlowStart.limit)
    }

    /// Lets 64 callers at once ask for new paths until all have their answer, and answers each payment; returns how many
    /// were signed and how many refused.
    private func burst(
        _ desk: Desk, from first: UInt64, callers: Int = 64, with answer: PaidAnswer
    ) async -> (signed: Int, refused: Int) {
        await withTaskGroup(of: Bool.self) { group in
            for caller in 0..<callers {
                let number = first + UInt64(caller)
                group.addTask {
                    let request = desk.request(number: number, path: "/\(number)")
                    guard case .pay(let payment) = await desk.answer(for: request) else { return false }
                    await desk.book(answer, of: payment)
                    return true
                }
            }
            return await group.reduce(into: (0, 0)) { sums, isSigned in
                if isSigned { sums.0 += 1 } else { sums.1 += 1 }
            }
        }
    }

    @Test(
        "a seller that rejects under a thousand paths gets at most nine authorizations in ten minutes, 64 calls at once"
    )
    func rejecting() async throws {
        let desk = try await Self.desk()
        var signed = 0
        for second in 0..<600 where second % 40 == 0 {
            signed += await burst(desk, from: UInt64(second) * 100 + 1, with: Self.rejected).signed
            desk.clock.advance(seconds: 40)
        }
        #expect((4...9).contains(signed), "\(signed)")
        #expect(desk.signer.signatures == signed)
    }

    @Test("of an honest burst of 64 first calls none is refused, and after the first answer none waits")
    func honest() async throws {
        let desk = try await Self.desk()
        let first = await burst(desk, from: 1, with: Self.accepted)
        #expect(first.signed == 64 && first.refused == 0)
        // None of these is answered.
        for number in 1000..<1064 as Range<UInt64> {
            _ = try await desk.paid(for: desk.request(number: number, path: "/\(number)"))
        }
    }

    @Test(
        "once accepted payments are followed by a rejection, what begins after it is bounded again until one is accepted"
    )
    func again() async throws {
        let desk = try await Self.desk()
        await desk.book(Self.accepted, of: try await desk.paid(for: desk.request(number: 1)))
        let early = try await desk.paid(for: desk.request(number: 2, path: "/2"))
        await desk.book(Self.rejected, of: try await desk.paid(for: desk.request(number: 3, path: "/3")))
        let burst = await burst(desk, from: 100, with: Self.rejected)
        #expect(burst.signed <= 5, "\(burst.signed)")
        // What began before the rejection is accepted: all go on.
        await desk.book(Self.accepted, of: early)
        let more = await self.burst(desk, from: 200, with: Self.accepted)
        #expect(more.refused == 0)
    }

    @Test("one agent's payments hold up no other agent, and no other gateway")
    func neighbours() async {
        let start = SlowStart()
        for _ in 0..<SlowStart.limit { #expect(start.place(for: Self.pair) != nil) }
        #expect(start.place(for: Self.pair) == nil)
        #expect(start.place(for: SlowStart.Pair(agent: "ada", gateway: "lab")) != nil)
        #expect(start.place(for: SlowStart.Pair(agent: "scout", gateway: "other")) != nil)
    }

    @Test("those that wait are admitted in their order, one for each payment that ends, or all once one is accepted")
    func order() async throws {
        let start = SlowStart(limit: 1)
        let first = try #require(start.place(for: Self.pair))
        let admitted = Admitted()
        func wait(_ number: Int) -> Task<SlowStart.Place?, Never> {
            Task { @Sendable in
                let place = await start.awaitPlace(for: Self.pair, withdrawal: Withdrawal())
                admitted.add(number)
                return place
            }
        }
        var waiters: [Task<SlowStart.Place?, Never>] = []
        for number in 0..<4 {
            waiters.append(wait(number))
            while start.waiting(for: Self.pair) <= number { await Task.yield() }
        }
        start.end(first, .other)
        let second = try #require(await waiters[0].value)
        #expect(start.waiting(for: Self.pair) == 3)
        // A second time it frees nothing.
        start.end(first, .other)
        #expect(start.waiting(for: Self.pair) == 3)
        start.end(second, .rejected)
        _ = await waiters[1].value
        #expect(admitted.numbers == [0, 1])
        let third = try #require(await waiters[1].value)
        start.end(third, .accepted)
        for waiter in waiters { _ = await waiter.value }
        #expect(start.waiting(for: Self.pair) == 0 && start.place(for: Self.pair) != nil)
        #expect(Set(admitted.numbers) == [0, 1, 2, 3])
    }

    @Test("one that is withdrawn while it waits waits no longer, keeps no place and holds nobody up")
    func withdrawn() async throws {
        let start = SlowStart(limit: 1)
        let first = try #require(start.place(for: Self.pair))
        let withdrawals = (0..<3).map { _ in Withdrawal() }
        var waiters: [Task<SlowStart.Place?, Never>] = []
        for (number, withdrawal) in withdrawals.enumerated() {
            waiters.append(Task { await start.awaitPlace(for: Self.pair, withdrawal: withdrawal) })
            while start.waiting(for: Self.pair) <= number { await Task.yield() }
        }
        withdrawals[1].withdraw()
        #expect(await waiters[1].value == nil)
        withdrawals[0].withdraw()
        #expect(await waiters[0].value == nil)
        #expect(await start.awaitPlace(for: Self.pair, withdrawal: .withdrawn) == nil)
        #expect(start.waiting(for: Self.pair) == 1)
        start.end(first, .other)
        let last = try #require(await waiters[2].value)
        start.end(last, .other)
        #expect(start.place(for: Self.pair) != nil)
    }

    @Test("a seller that rejects only after each agent has left gets no more authorizations than one that is prompt")
    func rejectingLate() async throws {
        let desk = try await Self.desk()
        var signed = 0
        for second in 0..<600 where second % 40 == 0 {
            var late: [AuthorizedPayment] = []
            // Nobody waits for any of them: a fifth one would hang here.
            for number in 0..<SlowStart.limit {
                let request = desk.request(number: UInt64(second * 10 + number), path: "/\(second)/\(number)")
                guard case .pay(let payment) = await desk.answer(for: request) else { continue }
                desk.engine.announceOutcome(of: payment)
                await desk.engine.loseSight(of: payment)
                late.append(payment)
            }
            if late.count == SlowStart.limit {
                #expect(await desk.engine.attachment(to: desk.request(number: 9999)) == nil)
            }
            for payment in late { await desk.book(Self.rejected, of: payment, isOrphan: true) }
            signed += late.count
            desk.clock.advance(seconds: 40)
        }
        #expect((4...9).contains(signed), "\(signed)")
        #expect(try await desk.rows.filter { $0.state != .refused }.allSatisfy { $0.state == .rejected })
    }

    @Test("a payment that another agent's request has taken over keeps its state when the first rejection comes late")
    func takenOver() async throws {
        let desk = try await Self.desk()
        let first = try await desk.paid()
        desk.engine.announceOutcome(of: first)
        await desk.engine.loseSight(of: first)
        let second = try await desk.paid()
        #expect(second.id == first.id && second.isAdopted)
        await desk.book(Self.rejected, of: first, isOrphan: true)
        #expect(try await desk.state(first) == .resumed)
        #expect(desk.log.lines.allSatisfy { !$0.contains("outcome not booked") })
        await desk.book(Self.accepted, of: second)
        #expect(try await desk.state(first) == .presumed)
    }

    @Test("what is refused, abandoned or sent again keeps no place")
    func given() async throws {
        let desk = try await Self.desk()
        for number in 1...9 as ClosedRange<UInt64> {
            #expect(
                await desk.answer(challenge(amount: "99999999999999"), for: desk.request(number: number)).failure != nil
            )
            guard
                case .abandoned = await desk.engine.answer(
                    challenge(), for: desk.request(number: number), withdrawal: .withdrawn)
            else {
                Issue.record("not abandoned")
                return
            }
        }
        let first = try await desk.paid()
        await desk.book(.silence(reason: "x"), of: first)
        for _ in 1...6 {
            let again = try await desk.paid()
            #expect(again.isAdopted)
            await desk.book(.silence(reason: "x"), of: again)
        }
        for number in 20...23 as ClosedRange<UInt64> { _ = try await desk.paid(for: desk.request(number: number)) }
        #expect(await desk.engine.attachment(to: desk.request(number: 30)) == nil)
    }
}
