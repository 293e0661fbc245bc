import Ledger
import Testing

@Suite("The payment states")
struct PaymentStateTests {
    /// Every step that is allowed; all other pairs of state and event are impossible.
    private static let allowed: [PaymentState: [PaymentEvent: PaymentState]] = [
        .refused: [:],
        .reserved: [
            .settled: .settled, .servedUnproven: .presumed, .rejected: .rejected, .lostSight: .inDoubt,
            .neverSent: .voided,
        ],
        .settled: [:],
        .presumed: [
            .settled: .settled, .servedUnproven: .presumed, .rejected: .presumed, .lostSight: .presumed,
        ],
        .rejected: [.settled: .settled, .servedUnproven: .presumed, .windowPassed: .presumed],
        .inDoubt: [
            .settled: .settled, .servedUnproven: .presumed, .rejected: .rejected, .windowPassed: .presumed,
        ],
        .voided: [:],
    ]

    @Test("only the listed steps are possible", arguments: PaymentState.allCases, PaymentEvent.allCases)
    func steps(state: PaymentState, event: PaymentEvent) throws {
        let row = try #require(Self.allowed[state])
        #expect(state.after(event) == row[event])
    }

    @Test("what is open is counted", arguments: PaymentState.allCases)
    func openIsCounted(state: PaymentState) {
        #expect(!state.isOpen || state.isCounted)
    }

    @Test("a seller's word alone never takes an amount out of the caps", arguments: PaymentState.allCases)
    func sellersWord(state: PaymentState) {
        let sellersEvents: [PaymentEvent] = [.settled, .servedUnproven, .rejected]
        for next in sellersEvents.compactMap({ state.after($0) }) {
            #expect(next.isCounted)
        }
    }

    @Test("stored texts stay what they are")
    func storedTexts() {
        #expect(
            PaymentState.allCases.map(\.rawValue)
                == ["refused", "reserved", "settled", "presumed", "rejected", "in-doubt", "voided"])
        #expect(
            PaymentEvent.allCases.map(\.rawValue)
                == ["settled", "served-unproven", "rejected", "lost-sight", "never-sent", "window-passed"])
        #expect(CapWindow.allCases.map(\.rawValue) == ["request", "day", "lifetime"])
    }
}
