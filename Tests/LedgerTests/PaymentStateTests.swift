import Ledger
import Testing

@Suite("The payment states")
struct PaymentStateTests {
    /// Every step that is allowed; all other pairs of state and event are impossible.
    private static let late: [PaymentEvent] = [
        .settled, .servedUnproven, .rejected, .rejectedLate, .lostSight, .alreadyUsed,
    ]

    private static func absorbing(_ state: PaymentState) -> [PaymentEvent: PaymentState] {
        Dictionary(uniqueKeysWithValues: late.map { ($0, state) }).merging([.answered: state]) { $1 }
    }

    private static func unattended(_ state: PaymentState) -> [PaymentEvent: PaymentState] {
        [
            .settled: .settled, .servedUnproven: .presumed, .alreadyUsed: .presumed, .rejected: .rejected,
            .rejectedLate: .rejected, .lostSight: state, .answered: state, .adopted: .resumed, .windowPassed: .presumed,
            .lapsed: .lapsed,
            .provenUsed: .confirmed, .provenUnused: .released,
        ]
    }

    private static let allowed: [PaymentState: [PaymentEvent: PaymentState]] = [
        .refused: [:],
        .voided: [:],
        .reserved: [
            .settled: .settled, .servedUnproven: .presumed, .alreadyUsed: .presumed, .rejected: .rejected,
            .lostSight: .inDoubt, .neverSent: .voided,
        ],
        .resumed: [
            .settled: .settled, .servedUnproven: .presumed, .alreadyUsed: .presumed, .rejected: .rejected,
            .lostSight: .inDoubt,
        ],
        .rejected: unattended(.rejected),
        .inDoubt: unattended(.inDoubt),
        .presumed: absorbing(.presumed).merging(
            [.settled: .settled, .provenUsed: .confirmed, .provenUnused: .released, .repeated: .presumed]
        ) { $1 },
        .lapsed: [
            .settled: .settled, .servedUnproven: .presumed, .alreadyUsed: .presumed, .rejected: .lapsed,
            .rejectedLate: .lapsed, .lostSight: .lapsed, .provenUsed: .confirmed, .provenUnused: .released,
            .answered: .lapsed,
        ],
        .settled: absorbing(.settled).merging([.amountShown: .settled, .repeated: .settled]) { $1 },
        .confirmed: absorbing(.confirmed).merging([.amountShown: .confirmed, .repeated: .confirmed]) { $1 },
        .released: absorbing(.released),
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
        for next in Self.late.compactMap({ state.after($0) }) where state.isCounted {
            #expect(next.isCounted)
        }
    }

    @Test("what may have been sent once never becomes voided", arguments: PaymentState.allCases)
    func voiding(state: PaymentState) {
        #expect((state.after(.neverSent) == .voided) == (state == .reserved))
    }

    @Test("an amount leaves the caps by proof, by not having been sent, or by an operator's choice only")
    func givingBack() {
        for state in PaymentState.allCases where state.isCounted {
            for event in PaymentEvent.allCases {
                guard let next = state.after(event), !next.isCounted else { continue }
                #expect([.neverSent, .provenUnused, .lapsed].contains(event), "\(state) \(event)")
            }
        }
    }

    @Test("an attempt whose agent is connected is never adopted", arguments: PaymentState.allCases)
    func adoption(state: PaymentState) {
        #expect(!state.isAttended || state.after(.adopted) == nil)
        #expect(state.after(.adopted) == nil || state.isOpen)
    }

    @Test("stored texts stay what they are")
    func storedTexts() {
        #expect(
            PaymentState.allCases.map(\.rawValue)
                == [
                    "refused", "reserved", "resumed", "settled", "presumed", "rejected", "in-doubt", "voided",
                    "confirmed", "released", "lapsed",
                ])
        #expect(
            PaymentEvent.allCases.map(\.rawValue)
                == [
                    "settled", "served-unproven", "rejected", "rejected-late", "lost-sight", "never-sent",
                    "already-used",
                    "adopted",
                    "window-passed", "lapsed", "proven-used", "proven-unused", "amount-shown", "answered",
                    "repeated",
                ])
        #expect(
            CapWindow.named.map(\.description) == ["request", "hour", "day", "week", "month", "lifetime"])
    }
}
