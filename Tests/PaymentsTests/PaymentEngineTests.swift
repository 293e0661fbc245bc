import Ethereum
import Ledger
import Policy
import Primitives
import Synchronization
import TestSupport
import Testing
import Wallets
import X402

@testable import Payments

@Suite("The payment engine")
struct PaymentEngineTests {
    private static let context = Result { try Secp256k1Context(seed: SeededRandom(seed: 2).bytes32()) }

    @Test("a challenge becomes a header that is signed for what the row says")
    func pays() async throws {
        let desk = try await Desk()
        let payment = try await desk.paid()
        let row = try #require(await desk.books.payment(payment.id))
        #expect(row.state == .reserved)
        #expect(row.terms == payment.terms)
        #expect(payment.usage.map(\.left) == [Dollars.cents(99).quantity])
        #expect(!payment.isAdopted && payment.state == .reserved)
        #expect(row.purpose.host == "x" && row.purpose.request?.model == .known("light") && row.salt != nil)
        #expect(payment.answerWithin == 60)
        #expect(payment.header.name == "payment-signature")

        let sent = try JSONReader.read(#require(Base64.decodeLenient(payment.header.value.utf8)))
        let authorization = try #require(sent["payload"]?["authorization"])
        let terms = payment.terms
        #expect(authorization["value"]?.string == "10000")
        #expect(authorization["to"]?.string == seller)
        #expect(authorization["nonce"]?.string == terms.nonce.description)
        #expect(authorization["validBefore"]?.string == "\(Timestamp.vectors.seconds + 60)")
        #expect(authorization["validAfter"]?.string == "\(Timestamp.vectors.seconds - 600)")
        #expect(sent["accepted"]?["network"]?.string == "arbitrum")
        #expect(terms.network == "eip155:42161")
        #expect(sent["extensions"]?["payment-identifier"]?["info"]?["id"]?.string == payment.id.description)
        #expect(sent["resource"]?.members?.map(\.key) == ["url"])

        let separator = try AssetTable.pinned().assets.first { $0.network == terms.network && $0.symbol == "USDT" }?
            .domainSeparator
        let digest = TransferWithAuthorization(
            from: desk.signer.address, to: try #require(Address(hex: seller)), value: terms.amount,
            validAfter: UInt64(terms.validAfter), validBefore: UInt64(terms.validBefore), nonce: terms.nonce
        ).digest(domainSeparator: try #require(separator))
        let signature = try #require(
            sent["payload"]?["signature"]?.string.flatMap { Hex.decode($0) }.flatMap { Signature(bytes: $0) })
        #expect(try Self.context.get().recover(digest: digest, signature: signature) == desk.signer.address)
    }

    @Test("the header can be rebuilt from the row, byte for byte")
    func rebuilds() async throws {
        let desk = try await Desk()
        let payment = try await desk.paid()
        let row = try #require(await desk.books.payment(payment.id))
        let echo = try #require(row.echo)
        let sent = try #require(Base64.decodeLenient(payment.header.value.utf8))
        let payload = try #require(JSONReader.read(sent)["payload"])
        let rebuilt = PaymentHeader.rebuild(
            version: echo.version, payload: Array(sent[payload.range]), accepted: echo.accepted,
            resource: echo.resource, extensions: echo.extensions)
        #expect(rebuilt == payment.header)
    }

    @Test("every payment has its own identifier, nonce and signature")
    func unique() async throws {
        let desk = try await Desk()
        var seen: Set<String> = []
        for _ in 0..<10 {
            let payment = try await desk.paid()
            seen.formUnion([payment.id.description, payment.terms.nonce.description, payment.header.value])
        }
        #expect(seen.count == 30)
    }

    // MARK: What is not paid

    @Test(
        "what is no challenge passes through",
        arguments: [
            ChallengeSource(header: nil, body: nil), ChallengeSource(header: nil, body: Array("{}".utf8)),
            ChallengeSource(header: nil, body: Array("@".utf8)),
            ChallengeSource(header: nil, body: Array(#"{"error":"pay","code":402}"#.utf8)),
        ])
    func passThrough(source: ChallengeSource) async throws {
        let desk = try await Desk()
        #expect(await desk.answer(source).isPassThrough)
        #expect(try await desk.rows.isEmpty)
    }

    @Test(
        "only five methods are paid for",
        arguments: ["HEAD", "OPTIONS", "TRACE", "TRACK", "DEBUG", "QUERY", "PROPFIND", "get", "MADE-UP"])
    func freeMethods(method: String) async throws {
        let desk = try await Desk()
        let answer = await desk.engine.answer(challenge(), for: desk.request(method: method))
        #expect(answer.failure?.code == "method-not-paid")
        #expect(desk.signer.signatures == 0)
        let row = try #require(await desk.rows.first)
        #expect(row.id == answer.failure?.payment)
        #expect(row.state == .refused)
        #expect(row.purpose.request?.method == method)
        #expect(row.evidence.reason == "method-not-paid")
        #expect(
            await desk.engine.answer(ChallengeSource(header: nil, body: nil), for: desk.request(method: method))
                .isPassThrough)
    }

    @Test("a wallet that nobody named, or that is not there, pays nothing")
    func noWallet() async throws {
        let two = try await Desk(wallets: ["main", "other"])
        #expect(await two.answer().failure?.code == "no-wallet")
        let missing = await two.engine.answer(challenge(), for: two.request(method: "GET", wallet: "third"))
        #expect(missing.failure?.detail.contains("third") == true)
        let refused = try await two.rows
        #expect(refused.map(\.state) == [.refused, .refused])
        #expect(refused.map(\.evidence.reason) == ["no-wallet", "no-wallet"])
        #expect(refused.first?.id == missing.failure?.payment)
        guard
            case .pay(let payment) = await two.engine.answer(
                challenge(), for: two.request(wallet: "other"))
        else {
            Issue.record("not paid")
            return
        }
        #expect(payment.terms.wallet == "other")
        #expect(try await Desk(wallets: []).answer().failure?.code == "no-wallet")
    }

    @Test("a refusal by policy is on record and has no money in it")
    func policyRefusal() async throws {
        let desk = try await Desk(rules: [])
        let failure = try #require(await desk.answer().failure)
        #expect(failure.code == "not-in-pay-list")
        #expect(failure.status == 402)
        #expect(!failure.isRetryable)
        let id = try #require(failure.payment)
        let row = try #require(await desk.books.payment(id))
        #expect(row.state == .refused)
        #expect(desk.signer.signatures == 0)
        #expect(try await desk.books.used(.day) == .zero)
    }

    // MARK: Caps

    @Test("an agent without caps pays nothing")
    func noCap() async throws {
        let failure = try #require(await Desk(caps: []).answer().failure)
        #expect(failure.code == "no-cap")
        #expect(failure.status == 402)
        #expect(failure.price == .cents(1))
        #expect(!failure.isRetryable)
    }

    /// A request of an agent without a cap.
    private func uncapped(_ desk: Desk) -> PaymentRequest {
        let request = desk.request()
        return PaymentRequest(
            agent: request.agent, claim: request.claim, gateway: request.gateway, host: request.host,
            site: request.site, content: request.content, target: request.target, isCapped: false)
    }

    @Test("for an agent without a cap the policy is not asked: the refusal is that there is no cap")
    func noCapBeforePolicy() async throws {
        let policy = PolicySnapshot(rules: PolicyRules([], standard: .refuse), hash: .numbered(8))
        let desk = try await Desk(caps: [], policy: policy)
        let failure = try #require(await desk.answer(for: uncapped(desk)).failure)
        #expect(failure.code == "no-cap" && failure.price == .cents(1))
        #expect(desk.signer.signatures == 0)
    }

    @Test("a cap that is set while a request is under way has the policy asked before anything is signed")
    func capMeanwhile() async throws {
        for (outcome, code) in [(PolicyOutcome.refuse, "policy-refused"), (.approve, nil)] as [(PolicyOutcome, String?)]
        {
            let policy = PolicySnapshot(rules: PolicyRules([], standard: outcome), hash: .numbered(8))
            let desk = try await Desk(policy: policy)
            let answer = await desk.answer(for: uncapped(desk))
            #expect(answer.failure?.code == code)
            #expect(desk.signer.signatures == (code == nil ? 1 : 0))
            let states = try await desk.rows.map(\.state)
            #expect(states.contains(.voided), "\(states)")
        }
    }

    @Test("an agent that was removed meanwhile pays nothing")
    func removedAgent() async throws {
        let desk = try await Desk(isKnown: false)
        let failure = try #require(await desk.answer().failure)
        #expect(failure.code == "unknown-agent")
        #expect(failure.status == 402)
        #expect(desk.signer.signatures == 0)
    }

    @Test("a refusal by a cap says which, what is left and when it starts anew")
    func exceeded() async throws {
        let caps = [
            CapLimit(.request, .cents(5)), CapLimit(.day, .cents(7)), CapLimit(.lifetime, .cents(9)),
        ]
        let desk = try await Desk(caps: caps)
        func refusal(_ amount: String) async throws -> PaymentFailure {
            try #require(await desk.answer(challenge(amount: amount)).failure)
        }
        let single = try await refusal("50001")
        #expect(single.cap?.cap.limit.window == .request)
        #expect(!single.isRetryable)
        _ = try await desk.paid(challenge(amount: "50000"))
        let day = try await refusal("30000")
        #expect(day.code == "cap-exceeded")
        #expect(day.status == 402)
        #expect(day.cap?.cap.limit.window == .day)
        #expect(day.cap?.left == Dollars.cents(2).quantity)
        #expect(day.cap?.resetsAt?.description == "2026-11-23T00:00:00Z")
        #expect(day.isRetryable)
        #expect(day.detail.contains("$0.03") && day.detail.contains("$0.02") && day.detail.contains("2026-11-23"))
        let signatures = desk.signer.signatures
        desk.clock.advance(seconds: 86_400)
        // The open payment of yesterday counts today as well, until its fate is known.
        #expect(try await refusal("30000").cap?.cap.limit.window == .day)
        _ = try await desk.books.doubtAttended(at: desk.clock.now())
        _ = try await desk.books.closeOverdue(OverduePolicy(margin: 0), at: desk.clock.now())
        let lifetime = try await refusal("50000")
        #expect(lifetime.cap?.cap.limit.window == .lifetime)
        #expect(lifetime.cap?.left == Dollars.cents(4).quantity)
        #expect(!lifetime.isRetryable)
        #expect(desk.signer.signatures == signatures)
        _ = try await desk.paid(challenge(amount: "40000"))
    }

    @Test("64 at once get exactly what the cap holds", arguments: [CapWindow.day, .lifetime])
    func concurrency(window: CapWindow) async throws {
        let desk = try await Desk(caps: [CapLimit(window, .cents(17))])
        let answers = await withTaskGroup(of: ChallengeAnswer.self) { group in
            for _ in 0..<64 { group.addTask { await desk.answer() } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let paid = answers.filter { if case .pay = $0 { true } else { false } }
        #expect(paid.count == 17)
        #expect(answers.compactMap(\.failure).filter { $0.code == "cap-exceeded" }.count == 47)
        #expect(desk.signer.signatures == 17)
        #expect(try await desk.rows.filter { $0.state == .reserved }.count == 17)
        #expect(try await desk.books.usage(of: "scout", at: .vectors).map(\.left) == [.zero])
    }

    // MARK: Agents that leave

    @Test("an agent that leaves before the reservation leaves nothing behind")
    func leavesEarly() async throws {
        let desk = try await Desk()
        #expect(await desk.engine.answer(challenge(), for: desk.request(), withdrawal: .withdrawn).isAbandoned)
        #expect(try await desk.rows.isEmpty)
        #expect(desk.signer.signatures == 0)
    }

    @Test("an agent that leaves during the reservation gets it voided, and nothing is signed")
    func leavesLate() async throws {
        let books = InMemoryLedger()
        let hasLeft = Withdrawal()
        let desk = try await Desk(books: books, store: WatchedStore(books, onReserved: { hasLeft.withdraw() }))
        #expect(await desk.engine.answer(challenge(), for: desk.request(), withdrawal: hasLeft).isAbandoned)
        #expect(try await desk.rows.map(\.state) == [.voided])
        #expect(desk.signer.signatures == 0)
        #expect(try await books.used(.day) == .zero)
    }

    // MARK: P2

    @Test("at the moment of signing the reservation is in the books")
    func reservedBeforeSigned() async throws {
        let books = InMemoryLedger()
        let reservations = Mutex(0)
        let seen = Mutex<[Int]>([])
        let signer = try CountingSigner { seen.withLock { $0.append(reservations.withLock { $0 }) } }
        let store = WatchedStore(books, onReserved: { reservations.withLock { $0 += 1 } })
        let desk = try await Desk(books: books, store: store, signer: signer)
        for _ in 0..<3 { _ = try await desk.paid() }
        #expect(seen.withLock { $0 } == [1, 2, 3])
        #expect(try await desk.rows.count == 3)
    }

    @Test("books that cannot be written mean that nothing is signed")
    func booksFail() async throws {
        let books = InMemoryLedger()
        let desk = try await Desk(books: books, store: WatchedStore(books, refusesToWrite: true))
        let failure = try #require(await desk.answer().failure)
        #expect(failure.code == "books-unavailable")
        #expect(failure.status == 503)
        #expect(desk.signer.signatures == 0)
        #expect(try await desk.rows.isEmpty)
        let policy = try await Desk(
            books: InMemoryLedger(), store: WatchedStore(books, refusesToWrite: true), rules: [])
        #expect(await policy.answer().failure?.payment == nil)
    }

    @Test("a repeated nonce is never signed for twice")
    func repeatedNonce() async throws {
        let desk = try await Desk(random: FixedRandom())
        _ = try await desk.paid()
        #expect(await desk.answer().failure?.code == "books-unavailable")
        #expect(desk.signer.signatures == 1)
    }

    @Test("without randomness nothing is reserved and nothing signed")
    func noRandomness() async throws {
        let desk = try await Desk(random: FixedRandom(nil))
        #expect(await desk.answer().failure?.code == "signing-failed")
        #expect(desk.signer.signatures == 0)
        #expect(try await desk.rows.isEmpty)
    }

    @Test("a signer that fails gives the reservation back")
    func signerFails() async throws {
        let desk = try await Desk(signer: CountingSigner(fails: true))
        let failure = try #require(await desk.answer().failure)
        #expect(failure.code == "signing-failed")
        #expect(failure.status == 503)
        #expect(try await desk.rows.map(\.state) == [.voided])
        #expect(try await desk.rows.map(\.id) == [failure.payment])
    }

    @Test("an outcome that cannot be booked leaves the row as exposure")
    func outcomeNotBooked() async throws {
        let books = InMemoryLedger()
        let desk = try await Desk(books: books, store: WatchedStore(books, failures: Failures(1)))
        let payment = try await desk.paid()
        await desk.book(.neverSent(reason: "x"), of: payment)
        #expect(try await desk.rows.map(\.state) == [.reserved])
    }

    @Test("a cap that open payments hold says that no moment is known, and is not worth a repetition")
    func heldCap() async throws {
        let desk = try await Desk(caps: [CapLimit(.rolling(minutes: 5), .cents(1))])
        let first = try await desk.paid(for: desk.request(number: 1))
        let held = try #require(await desk.answer(for: desk.request(number: 2)).failure)
        #expect(held.cap?.resetsAt == nil && !held.isRetryable)
        #expect(held.detail.contains("No reset that is known frees enough"))
        // Once its outcome is known the moment is known too.
        await desk.book(.response(status: 200, report: nil), of: first)
        let timed = try #require(await desk.answer(for: desk.request(number: 3)).failure)
        #expect(timed.cap?.resetsAt != nil && timed.isRetryable)
    }
}

/// Turned on once.
final class Switch: Sendable {
    private let state = Mutex(false)

    func turnOn() { state.withLock { $0 = true } }

    var isOn: Bool { state.withLock { $0 } }
}
