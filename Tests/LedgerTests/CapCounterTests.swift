import Ledger
import Primitives
import TestSupport
import Testing

@Suite("What counts against a cap")
struct CapCounterTests {
    private static let one = UInt256(1)

    private func counter(
        _ window: CapWindow, _ payments: [(second: Int64, state: PaymentState)], at now: Timestamp
    ) -> CapCounter {
        var counter = CapCounter()
        for payment in payments {
            let time = Timestamp.vectors.adding(seconds: payment.second)
            counter.move(Self.one, reservedAt: time, in: window, from: nil, to: payment.state, at: now)
        }
        return counter
    }

    // 2026-11-22 is a Sunday: the week ends with it.
    @Test(
        "a fixed window starts anew at its end, to the second",
        arguments: [
            (.hour, 3600), (.day, 86_400), (.week, 86_400), (.month, 9 * 86_400),
        ] as [(CapWindow, Int64)])
    func fixedWindows(window: CapWindow, seconds: Int64) {
        let counter = counter(window, [(0, .settled)], at: .vectors)
        #expect(counter.used(in: window, at: .vectors.adding(seconds: seconds - 1)) == Self.one)
        #expect(counter.used(in: window, at: .vectors.adding(seconds: seconds)) == .zero)
    }

    @Test("a lifetime never starts anew")
    func lifetime() {
        let counter = counter(.lifetime, [(0, .settled)], at: .vectors)
        #expect(counter.used(in: .lifetime, at: .vectors.adding(seconds: 1 << 33)) == Self.one)
    }

    @Test(
        "a rolling window counts at least its minutes and at most a sixtieth more", arguments: [1, 15, 600] as [Int64])
    func rolling(minutes: Int64) {
        let window = CapWindow.rolling(minutes: minutes)
        for offset in [0, 1, minutes - 1] {
            let counter = counter(window, [(offset, .settled)], at: .vectors.adding(seconds: offset))
            let least = Timestamp.vectors.adding(seconds: offset + minutes * 60 - 1)
            let most = Timestamp.vectors.adding(seconds: offset + minutes * 61)
            #expect(counter.used(in: window, at: least) == Self.one)
            #expect(counter.used(in: window, at: most) == .zero)
        }
    }

    @Test("what is open counts in every later window, what is closed does not")
    func openAmounts() {
        var counter = counter(.day, [(0, .reserved), (1, .settled)], at: .vectors)
        let tomorrow = Timestamp.vectors.adding(seconds: 86_400)
        #expect(counter.used(in: .day, at: .vectors) == UInt256(2))
        #expect(counter.used(in: .day, at: tomorrow) == Self.one)
        counter.move(Self.one, reservedAt: .vectors, in: .day, from: .reserved, to: .settled, at: tomorrow)
        #expect(counter.used(in: .day, at: tomorrow) == .zero)
    }

    @Test("what is given back counts nowhere, and what was given back too early counts again")
    func givingBack() {
        var counter = counter(.lifetime, [(0, .inDoubt)], at: .vectors)
        counter.move(Self.one, reservedAt: .vectors, in: .lifetime, from: .inDoubt, to: .lapsed, at: .vectors)
        #expect(counter.used(in: .lifetime, at: .vectors) == .zero)
        counter.move(Self.one, reservedAt: .vectors, in: .lifetime, from: .lapsed, to: .settled, at: .vectors)
        #expect(counter.used(in: .lifetime, at: .vectors) == Self.one)
    }

    @Test("counters agree with a recount after any walk through the states", arguments: 1...20 as ClosedRange<UInt64>)
    func walks(seed: UInt64) throws {
        let random = SeededRandom(seed: seed)
        let windows: [CapWindow] = [.rolling(minutes: 7), .hour, .day, .week, .month, .lifetime]
        let window = windows[Int(seed) % windows.count]
        var counter = CapCounter()
        var payments: [(at: Timestamp, state: PaymentState)] = []
        var now = Timestamp.vectors
        for step in 0..<400 {
            now = now.adding(seconds: [0, 1, 59, 600, 4000, 90_000][Int(random.word() % 6)])
            if payments.isEmpty || random.word() % 3 == 0 {
                payments.append((now, .reserved))
                counter.move(Self.one, reservedAt: now, in: window, from: nil, to: .reserved, at: now)
            } else {
                let index = Int(random.word() % UInt64(payments.count))
                let event = PaymentEvent.allCases[Int(random.word() % UInt64(PaymentEvent.allCases.count))]
                guard let next = payments[index].state.after(event) else { continue }
                counter.move(
                    Self.one, reservedAt: payments[index].at, in: window, from: payments[index].state, to: next,
                    at: now)
                payments[index].state = next
            }
            let counted = payments.count { payment in
                payment.state.isOpen
                    || (payment.state.isCounted && (window.beginning(at: now).map { payment.at >= $0 } ?? true))
            }
            let used = counter.used(in: window, at: now)
            if case .rolling = window {
                // The sixtieth that begins the window may count or not.
                #expect(used <= UInt256(UInt64(counted)), "seed \(seed), step \(step)")
            } else {
                try #require(used == UInt256(UInt64(counted)), "seed \(seed), step \(step), \(window)")
            }
        }
    }

    @Test("a full rolling window says when the next payment fits")
    func resets() {
        let window = CapWindow.rolling(minutes: 1)
        let counter = counter(window, [(0, .settled), (30, .settled)], at: .vectors.adding(seconds: 30))
        let now = Timestamp.vectors.adding(seconds: 40)
        #expect(
            counter.resets(in: window, at: now, toFit: Self.one, under: UInt256(2)) == .vectors.adding(seconds: 61))
        #expect(
            counter.resets(in: window, at: now, toFit: UInt256(2), under: UInt256(2)) == .vectors.adding(seconds: 91))
        #expect(counter.resets(in: window, at: now, toFit: UInt256(3), under: UInt256(2)) == nil)
    }

    @Test("where open payments alone are too much, no moment is known at which the next one fits")
    func heldOpen() {
        let window = CapWindow.rolling(minutes: 1)
        let now = Timestamp.vectors.adding(seconds: 40)
        let held = counter(window, [(0, .settled), (30, .reserved)], at: .vectors.adding(seconds: 30))
        #expect(held.resets(in: window, at: now, toFit: UInt256(2), under: UInt256(2)) == nil)
        #expect(held.resets(in: window, at: now, toFit: Self.one, under: UInt256(2)) == .vectors.adding(seconds: 61))
        let alone = counter(window, [(0, .reserved)], at: now)
        #expect(alone.resets(in: window, at: now, toFit: Self.one, under: Self.one) == nil)
    }
}
