import Ledger
import Primitives
import TestSupport
import Testing
import X402

@testable import Payments

@Suite("Prices that are learned")
struct LearnedPriceTests {
    private static func report(_ more: String = "") throws -> PaidAnswer {
        let text = #"{"success":true,"transaction":"0x1","network":"eip155:42161"\#(more)}"#
        return .response(status: 200, report: SettlementReport.read(header: Array(text.utf8)))
    }

    /// What becomes of a purchase that is made before another one is tried ahead of its question.
    enum Purchase: CaseIterable {
        case good
        /// The seller reports another amount than was signed.
        case otherAmount
        case unproven
        case rejected
        case failedBehindSettlement
        /// A maximum, of which less than all may be taken.
        case maximum

        func answer() throws -> PaidAnswer {
            switch self {
            case .good, .maximum: try report()
            case .otherAmount: try report(#","amount":"9999""#)
            case .unproven: .response(status: 200, report: nil)
            case .rejected: .response(status: 402, report: nil)
            case .failedBehindSettlement:
                if case .response(_, let report, _) = try report() {
                    .response(status: 500, report: report)
                } else {
                    try report()
                }
            }
        }
    }

    @Test("routes that are bought once make room, and those with a price stay")
    func room() throws {
        let prices = LearnedPrices()
        let source = challenge()
        func lesson(_ path: String) throws -> PriceLesson {
            PriceLesson(
                route: RequestRoute(agent: "scout", gateway: "lab", method: "GET", target: path), model: .absent,
                source: source, challenge: try Challenge.read(source), accepted: [], seenAt: .vectors,
                isAttached: false)
        }
        let regular = try lesson("/regular")
        for _ in 0..<3 { prices.learn(regular, .good) }
        for number in 0..<3000 { prices.learn(try lesson("/once/\(number)"), .good) }
        #expect(prices.hasPrice(of: regular.route, at: .vectors))
        #expect(!prices.isKnown(try lesson("/once/0").route))
        #expect(prices.isKnown(try lesson("/once/2999").route))
        for number in 0..<600 {
            for _ in 0..<3 { prices.learn(try lesson("/many/\(number)"), .good) }
        }
        for number in 0..<600 { prices.learn(try lesson("/then/\(number)"), .good) }
        #expect(!prices.isKnown(regular.route))
    }

    @Test(
        "only payments of a fixed price that were settled as signed and served are learned from",
        arguments: Purchase.allCases)
    func learned(purchase: Purchase) async throws {
        let desk = try await Desk(rules: ["eip155:42161/USDT", "eip155:56/USDT"])
        let source = purchase == .maximum ? MethodTests.sources[1].1 : challenge()
        for number in 0..<UInt64(3) {
            let payment = try await desk.paid(source, for: desk.request(number: number))
            await desk.book(try purchase.answer(), of: payment)
        }
        let next = desk.request(number: 9)
        #expect(desk.engine.hasLearnedPrice(of: next.route) == (purchase == .good))
        #expect(desk.engine.asksPayment(on: next.route))
        #expect(!desk.engine.asksPayment(on: desk.request(method: "PUT").route))
        let attached = await desk.engine.attachment(to: next) { false }
        #expect((attached != nil) == (purchase == .good))
        guard let attached else { return }
        desk.engine.decisionIsTaken(of: attached)
        #expect(attached.isAttached && attached.terms.amount == UInt256(10_000))
        #expect(try await desk.state(attached) == .reserved)
    }
}
