import Ledger
import Policy
import Primitives
import TestSupport
import Testing

@testable import Payments

@Suite("Freezes, rejections and what operators hear")
struct StandstillTests {
    private static func freeze(_ scope: FreezeScope) -> Freeze {
        Freeze(scope: scope, since: .vectors, actor: "op", reason: "secret reason")
    }

    static let scopes: [FreezeScope] = [.everything, .agent("scout"), .gateway("lab"), .wallet("main")]

    @Test("what is frozen is not paid, and says so", arguments: scopes)
    func frozen(scope: FreezeScope) async throws {
        let desk = try await Desk()
        #expect(try await desk.books.freeze(Self.freeze(scope)))
        let failure = try #require(await desk.answer().failure)
        #expect(failure.code == "frozen" && failure.status == 402 && !failure.isRetryable)
        #expect(failure.detail.contains(scope.description) && !failure.detail.contains("secret reason"))
        #expect(desk.signer.signatures == 0)
        #expect(try await desk.books.unfreeze(scope, by: "op", at: .vectors))
        _ = try await desk.paid()
    }

    @Test("a freeze between the reservation and the signature stops the signature", arguments: scopes)
    func frozenMeanwhile(scope: FreezeScope) async throws {
        let desk = try await Desk()
        let books = desk.books
        let engine = try desk.engine(
            over: WatchedStore(books, onReserved: { _ = try? await books.freeze(Self.freeze(scope)) }))
        let answer = await engine.answer(challenge(), for: desk.request())
        #expect(answer.failure?.code == "frozen")
        #expect(try await desk.rows.map(\.state) == [.voided])
        #expect(try await desk.rows.map(\.id) == [answer.failure?.payment])
        #expect(desk.signer.signatures == 0)
        #expect(try await books.used(.day) == .zero)
    }

    @Test("a freeze before an adopted payment is signed again leaves it in doubt")
    func frozenAdoption() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        await desk.book(.silence(reason: "x"), of: first)
        let books = desk.books
        let engine = try desk.engine(
            over: WatchedStore(books, onReserved: { _ = try? await books.freeze(Self.freeze(.everything)) }))
        #expect(await engine.answer(challenge(), for: desk.request()).failure?.code == "frozen")
        #expect(try await desk.state(first) == .inDoubt)
        #expect(desk.signer.signatures == 1)
    }

    @Test("another change of the rules meanwhile is no reason not to pay, and rules that cannot be read are")
    func otherChange() async throws {
        let desk = try await Desk()
        let books = desk.books
        var store = WatchedStore(
            books, onReserved: { try? await books.setCap(CapLimit(.week, .cents(50)), of: "scout") })
        guard
            case .pay = await (try desk.engine(over: store)).answer(
                challenge(), for: desk.request())
        else {
            Issue.record("not paid")
            return
        }
        store.hidesRules = true
        let engine = try desk.engine(over: store)
        #expect(
            await engine.answer(challenge(), for: desk.request(number: 10)).failure?.code
                == "books-unavailable")
        #expect(try await desk.rows.map(\.state) == [.voided, .reserved])
    }

    @Test("three rejections in a row on a route stop payments to it, one is tried after a minute, and it is told once")
    func rejecting() async throws {
        let desk = try await Desk()
        for number in 1...3 {
            let payment = try await desk.paid(for: desk.request(number: UInt64(number)))
            await desk.book(.response(status: 402, report: nil), of: payment)
        }
        for number in 4...6 {
            let failure = try #require(await desk.answer(for: desk.request(number: UInt64(number))).failure)
            #expect(failure.code == "gateway-rejecting" && failure.status == 402 && failure.isRetryable)
            #expect(failure.paused == "route" && failure.detail.contains("on the route POST /y"))
            #expect(failure.retryAt == desk.clock.now().adding(seconds: 60))
        }
        let notices = try await desk.books.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 100).filter { $0.line.kind == .notice }.map(\.line)
        }
        #expect(notices.map(\.cause) == ["gateway-rejecting"] && notices.map(\.subject) == ["gateway:lab agent:scout"])
        let refused = try #require(await desk.rows.last { $0.state == .refused })
        #expect(
            notices.first?.detail?.hasPrefix(
                "the route of \(refused.id) is paused for agent scout after 3 rejections in a row; one") == true)
        #expect(desk.log.lines.filter { $0.hasPrefix("warning: gateway rejects payments") }.count == 1)
        #expect(desk.log.lines.contains { $0.contains("payment=\(refused.id)") && $0.contains("paused=route") })
        #expect(!desk.log.lines.contains { $0.contains("/y") }, "a path is in the books alone, where it can be erased")
        // Another route of the same agent goes on.
        _ = try await desk.paid(for: desk.request(number: 6, path: "/z"))
        #expect(desk.signer.signatures == 4)
        desk.clock.advance(seconds: 60)
        _ = try await desk.paid(for: desk.request(number: 7))
        #expect(await desk.answer(for: desk.request(number: 8)).failure?.code == "gateway-rejecting")
        let never = desk.request(
            number: 9, policy: GatewayPolicy(rules: ReservationRules(stopAfterRejections: 0)))
        _ = try await desk.paid(for: never)
    }

    @Test("a cap that fills up is one line of the log for each share")
    func warnings() async throws {
        let desk = try await Desk(caps: [CapLimit(.day, .cents(4))])
        for number in 1...4 { _ = try await desk.paid(for: desk.request(number: UInt64(number))) }
        let lines = desk.log.lines.filter { $0.hasPrefix("notice: cap is filling up") }
        #expect(lines.count == 2)
        #expect(lines.first?.contains("limit=$0.04") == true && lines.first?.contains("scope=agent:scout") == true)
        #expect(lines.first?.contains("share=50%") == true && lines.last?.contains("share=95%") == true)
    }

    @Test("a clock that is far behind the books pays nothing")
    func clockBehind() async throws {
        let desk = try await Desk()
        _ = try await desk.paid()
        desk.clock.advance(seconds: -61)
        let failure = try #require(await desk.answer(for: desk.request(number: 10)).failure)
        #expect(failure.code == "clock-behind" && failure.status == 503)
    }

    @Test("a team's cap and the house's hold for its agents")
    func tree() async throws {
        let desk = try await Desk(caps: [CapLimit(.day, .cents(100))], team: "crew")
        try await desk.books.setCap(
            Cap(CapScope(.team("crew")), CapLimit(.day, .cents(1))), by: "op", at: .vectors)
        _ = try await desk.paid()
        let failure = try #require(await desk.answer(for: desk.request(number: 10)).failure)
        #expect(failure.code == "cap-exceeded" && failure.cap?.cap.scope == CapScope(.team("crew")))
        #expect(failure.detail.contains("team:crew"))
    }

    @Test("a gateway's longest window is signed, however much longer the seller's is", arguments: [Int64(30), 45, 600])
    func validity(longest: Int64) async throws {
        let desk = try await Desk()
        var policy = GatewayPolicy()
        policy.gate.maxValidity = longest
        let payment = try await desk.paid(for: desk.request(policy: policy))
        let now = Timestamp.vectors.seconds
        #expect(payment.terms.validBefore == now + min(60, longest))
        #expect(payment.terms.validAfter == now - longest)
        #expect(payment.answerWithin == 60)
    }

    // MARK: Calls of prepaid gateways

    private let call = MeteredCall(agent: "scout", team: nil, gateway: "lab", host: "x")

    @Test("calls are counted against caps on their number, and end there")
    func metering() async throws {
        let desk = try await Desk(caps: [CapLimit(.hour, .payments, UInt256(2)), CapLimit(.day, .cents(100))])
        #expect(await desk.engine.meter(call) == nil)
        #expect(await desk.engine.meter(call) == nil)
        let failure = try #require(await desk.engine.meter(call)).failure
        #expect(failure.code == "cap-exceeded" && failure.status == 402 && failure.isRetryable)
        #expect(failure.detail.contains("One more does not fit the hour cap of 2 payments on agent:scout"))
        #expect(failure.detail.contains("what is left is 0 payments"))
        let uncapped = try await Desk()
        #expect(await uncapped.engine.meter(call)?.failure.code == "no-cap")
        #expect(try await uncapped.books.freeze(Self.freeze(.everything)))
        #expect(await uncapped.engine.meter(call)?.failure.code == "frozen")
    }

    @Test("a call that the books cannot count is not made")
    func meteringFails() async throws {
        let desk = try await Desk()
        let failure = await (try desk.engine(over: WatchedStore(desk.books, refusesToWrite: true))).meter(call)?.failure
        #expect(failure?.code == "books-unavailable" && failure?.status == 503)
    }

    @Test("a low balance is told once an hour")
    func lowBalance() async throws {
        let desk = try await Desk()
        for _ in 0..<3 { await desk.engine.noticeLowBalance(of: "lab") }
        #expect(desk.log.lines.filter { $0.hasPrefix("warning: prepaid gateway answers 402") }.count == 1)
        desk.clock.advance(seconds: 3601)
        await desk.engine.noticeLowBalance(of: "lab")
        #expect(desk.log.lines.filter { $0.hasPrefix("warning: prepaid gateway answers 402") }.count == 2)
    }
}
