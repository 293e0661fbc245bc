import Ethereum
import Ledger
import Policy
import Primitives
import Synchronization
import TestSupport
import Testing
import X402

@testable import Payments

/// A chain that shows a balance, or cannot be read.
private final class ScriptedBalance: BalanceWitness {
    struct Silent: Error {}

    private let state: Mutex<(amount: UInt256?, questions: Int)>

    init(_ amount: UInt256?) {
        state = Mutex((amount, 0))
    }

    /// How often it was asked.
    var questions: Int { state.withLock { $0.questions } }

    func set(_ amount: UInt256?) { state.withLock { $0.amount = amount } }

    func balance(owner: Address, token: Address) async throws -> BalanceReading {
        let amount = state.withLock { state in
            state.questions += 1
            return state.amount
        }
        guard let amount else { throw Silent() }
        return BalanceReading(amount: amount, block: 1)
    }
}

@Suite("Wallets without funds")
struct WalletFundsTests {
    private static let unfunded = PaidAnswer.response(
        status: 402, report: nil, reason: "invalid_exact_evm_insufficient_balance")
    private static let never = GatewayPolicy(rules: ReservationRules(stopAfterRejections: 0))

    private static func settled() throws -> PaidAnswer {
        let text = Base64.encode(Array(#"{"success":true,"transaction":"0xab","network":"eip155:42161"}"#.utf8))
        return .response(status: 200, report: SettlementReport.read(header: Array(text.utf8)))
    }

    /// One new request at a gateway.
    private func request(_ desk: Desk, _ number: UInt64, at gateway: String = "lab", host: String = "x")
        -> PaymentRequest
    {
        desk.request(number: number, policy: Self.never, path: "/\(number)", gateway: gateway, host: host)
    }

    private func notices(_ desk: Desk) async throws -> [JournalLine] {
        try await desk.books.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 1000).filter { $0.line.kind == .notice }.map(\.line)
        }
    }

    @Test("without a chain one seller stops nothing, however often it says that there is too little")
    func oneSeller() async throws {
        let desk = try await Desk()
        for number: UInt64 in 1...5 {
            let payment = try await desk.paid(for: request(desk, number, at: number % 2 == 0 ? "lab" : "lab2"))
            await desk.book(Self.unfunded, of: payment)
        }
        _ = try await desk.paid(for: request(desk, 6, at: "other", host: "other"))
        let notices = try await notices(desk)
        #expect(notices.map(\.cause) == ["wallet-unfunded", "wallet-unfunded"])
        #expect(notices.map(\.subject) == ["wallet:main gateway:lab2", "wallet:main gateway:lab"])
        let detail = try #require(notices.first?.detail)
        for word in ["lab2", "main", "USDT", "eip155:42161", "0.01 USDT", "no chain is configured"] {
            #expect(detail.contains(word), "\(word)")
        }
    }

    @Test(
        "without a chain two hosts pause the wallet in the token; one payment a minute is tried, and one accepted ends it"
    )
    func twoSellers() async throws {
        let desk = try await Desk()
        await desk.book(Self.unfunded, of: try await desk.paid(for: request(desk, 1)))
        await desk.book(Self.unfunded, of: try await desk.paid(for: request(desk, 2, at: "other", host: "other")))
        let failure = try #require(await desk.answer(for: request(desk, 3, at: "third", host: "third")).failure)
        #expect(failure.code == "insufficient-funds" && failure.status == 402 && failure.isRetryable)
        #expect(failure.retryAt == desk.clock.now().adding(seconds: 60))
        for word in ["\"main\"", "USDT", "eip155:42161", "0x"] { #expect(failure.detail.contains(word), "\(word)") }
        let newest = try #require(await desk.rows.first)
        #expect(newest.state == .refused && newest.id == failure.payment)
        #expect(desk.signer.signatures == 2)
        #expect(try await notices(desk).last?.cause == "wallet-paused")
        desk.clock.advance(seconds: 60)
        let probe = try await desk.paid(for: request(desk, 4))
        #expect(await desk.answer(for: request(desk, 5)).failure?.code == "insufficient-funds")
        await desk.book(Self.unfunded, of: probe)
        #expect(await desk.answer(for: request(desk, 6)).failure?.code == "insufficient-funds")
        desk.clock.advance(seconds: 60)
        let topped = try await desk.paid(for: request(desk, 7))
        await desk.book(try Self.settled(), of: topped)
        _ = try await desk.paid(for: request(desk, 8))
    }

    @Test("a settled payment that is sent again and finds too little is no doubt about the wallet")
    func repeatedAfterSettlement() async throws {
        let desk = try await Desk()
        for number: UInt64 in 1...2 {
            let payment = try await desk.paid(for: request(desk, number, at: "lab\(number)", host: "host\(number)"))
            await desk.book(try Self.settled(), of: payment)
            await desk.book(Self.unfunded, of: payment, isRepeat: true)
        }
        #expect(try await desk.rows.map(\.state) == [.settled, .settled])
        #expect(try await notices(desk).filter { $0.cause.hasPrefix("wallet-") }.isEmpty)
        // Two hosts that are believed would pause the wallet.
        _ = try await desk.paid(for: request(desk, 3))
    }

    @Test("a payment that was to be tried and was not signed leaves its minute to the next one")
    func untried() async throws {
        let desk = try await Desk()
        await desk.book(Self.unfunded, of: try await desk.paid(for: request(desk, 11)))
        await desk.book(Self.unfunded, of: try await desk.paid(for: request(desk, 12, at: "other", host: "other")))
        desk.clock.advance(seconds: 60)
        // The agent leaves between the reservation and the signature.
        let hasLeft = Withdrawal()
        let engine = try desk.engine(over: WatchedStore(desk.books, onReserved: { hasLeft.withdraw() }))
        let answer = await engine.answer(challenge(), for: request(desk, 1), withdrawal: hasLeft)
        guard case .abandoned = answer else {
            Issue.record("not abandoned")
            return
        }
        #expect(try await desk.rows.first?.state == .voided)
        _ = try await desk.paid(for: request(desk, 2))
        #expect(await desk.answer(for: request(desk, 3)).failure?.code == "insufficient-funds")
    }

    @Test("a chain that shows enough makes the seller's word nothing, and one that is silent pauses nothing")
    func chainShowsEnough() async throws {
        for amount in [UInt256(10_000), nil] {
            let chain = ScriptedBalance(amount)
            let desk = try await Desk(balances: ["eip155:42161": chain])
            for number: UInt64 in 1...3 {
                let payment = try await desk.paid(for: request(desk, number, at: "g\(number)", host: "h\(number)"))
                await desk.book(Self.unfunded, of: payment)
            }
            _ = try await desk.paid(for: request(desk, 4))
            #expect(chain.questions == 3)
            let told = try await notices(desk).compactMap(\.detail)
            #expect(told.count == 3)
            let word = amount == nil ? "could not be read" : "shows 0.01 USDT, which is enough"
            #expect(told.allSatisfy { $0.contains(word) })
        }
    }

    @Test(
        "a chain that shows too little pauses the payments that exceed the balance, and is asked nothing before a payment"
    )
    func chainShowsTooLittle() async throws {
        let chain = ScriptedBalance(UInt256(9999))
        let desk = try await Desk(balances: ["eip155:42161": chain])
        await desk.book(Self.unfunded, of: try await desk.paid(for: request(desk, 1)))
        #expect(await desk.answer(for: request(desk, 2, at: "other")).failure?.code == "insufficient-funds")
        // What the wallet has it may spend, and that says nothing of the rest.
        let small = try await desk.paid(challenge(amount: "9999"), for: request(desk, 3, at: "other"))
        await desk.book(try Self.settled(), of: small)
        #expect(await desk.answer(for: request(desk, 4)).failure?.code == "insufficient-funds")
        #expect(chain.questions == 1)
        desk.clock.advance(seconds: 60)
        let topped = try await desk.paid(for: request(desk, 5))
        await desk.book(try Self.settled(), of: topped)
        _ = try await desk.paid(for: request(desk, 6))
        #expect(try await notices(desk).map(\.cause) == ["wallet-unfunded", "wallet-paused"])
    }

    @Test("another reason, and another token, say nothing of the wallet")
    func otherReasons() async throws {
        let chain = ScriptedBalance(.zero)
        let desk = try await Desk(balances: ["eip155:42161": chain])
        for (number, reason) in ["invalid_signature", nil].enumerated() {
            let payment = try await desk.paid(for: request(desk, UInt64(number)))
            await desk.book(.response(status: 402, report: nil, reason: reason), of: payment)
        }
        await desk.book(.response(status: 500, report: nil), of: try await desk.paid(for: request(desk, 8)))
        #expect(chain.questions == 0)
        await desk.book(Self.unfunded, of: try await desk.paid(for: request(desk, 9)))
        #expect(chain.questions == 1)
        var wallets = UnfundedWallets()
        let (terms, other) = (PaymentIntent.sample(1).terms, PaymentIntent.sample(1, asset: "0xBB").terms)
        let claims = ["x", "y"].map { wallets.doubt(terms, .claim(host: $0), at: .vectors) }
        #expect(claims == [false, true])
        #expect(wallets.pause(of: terms, by: "scout", at: .vectors) != nil)
        #expect(wallets.pause(of: other, by: "scout", at: .vectors) == nil)
    }

    @Test("a claim counts for an hour")
    func oldClaims() {
        let terms = PaymentIntent.sample(1).terms
        var wallets = UnfundedWallets()
        var claims: [Bool] = []
        for (host, second) in [("x", 0), ("y", 3600), ("x", 3601)] as [(String, Int64)] {
            claims.append(wallets.doubt(terms, .claim(host: host), at: .vectors.adding(seconds: second)))
        }
        #expect(claims == [false, false, true])
    }

    @Test("rejections for want of funds count at their gateway and are named there")
    func gatewayRejecting() async throws {
        let desk = try await Desk()
        for number: UInt64 in 1...3 {
            await desk.book(Self.unfunded, of: try await desk.paid(for: desk.request(number: number)))
        }
        let failure = try #require(await desk.answer(for: desk.request(number: 4)).failure)
        #expect(failure.code == "gateway-rejecting" && failure.detail.contains("too little of the token"))
        let notice = try #require(await notices(desk).last)
        #expect(notice.cause == "gateway-rejecting" && notice.detail?.contains("insufficient_funds") == true)
    }
}
