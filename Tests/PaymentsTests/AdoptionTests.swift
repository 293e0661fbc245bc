import Ethereum
import Ledger
import Policy
import Primitives
import SystemCrypto
import TestSupport
import Testing
import Wallets
import X402

@testable import Payments

@Suite("Attempts that are taken over")
struct AdoptionTests {
    /// A payment whose agent went away while it was out.
    private func lost(_ desk: Desk, for request: PaymentRequest? = nil) async throws -> AuthorizedPayment {
        let payment = try await desk.paid(for: request)
        await desk.book(.silence(reason: "no answer in time"), of: payment)
        return payment
    }

    @Test("an identical request whose first attempt is unresolved gets the same bytes, under the same name")
    func sameBytes() async throws {
        let desk = try await Desk()
        let first = try await lost(desk)
        desk.clock.advance(seconds: 10)
        let second = try await desk.paid()
        #expect(second.isAdopted && !first.isAdopted)
        #expect(second.id == first.id && second.header == first.header && second.terms == first.terms)
        #expect(second.signature == first.signature)
        #expect(second.state == .resumed)
        #expect(try await desk.rows.map(\.state) == [.resumed])
        #expect(try await desk.books.used(.day) == .cents(1))
    }

    @Test("after a restart, when no signature is on record, the same bytes come out")
    func afterRestart() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        _ = try await desk.books.doubtAttended(at: desk.clock.now())
        let second = try await desk.paid()
        #expect(second.isAdopted && second.header == first.header)
    }

    @Test("the first attempt's price is paid, whatever the seller asks by now")
    func oldPrice() async throws {
        let desk = try await Desk()
        let first = try await lost(desk)
        let second = try await desk.paid(challenge(amount: "999"))
        #expect(second.header == first.header)
    }

    /// What an operator may tighten between an attempt and its repetition, which the seller asks with another payee.
    enum Tightening: CaseIterable {
        case payees, maximum, policy, payList

        static let other = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"

        var policy: GatewayPolicy {
            var policy = GatewayPolicy()
            if self == .payees { policy.gate.payees = Set([Address(hex: Self.other)].compactMap(\.self)) }
            if self == .maximum { policy.gate.maxPayment = Dollars(nanodollars: 5_000_000) ?? .zero }
            return policy
        }

        var rules: PolicySnapshot? {
            guard self == .policy else { return nil }
            let rule = PolicyRule(name: "old", matchers: [.oneOf(.payee, [.exact(seller)])], outcome: .refuse)
            return PolicySnapshot(rules: PolicyRules([rule]), hash: .numbered(3))
        }
    }

    @Test(
        "an attempt that the rules would not approve any more is not sent again, and nothing is signed beside it",
        arguments: Tightening.allCases)
    func tightened(what: Tightening) async throws {
        let desk = try await Desk(rules: ["eip155:42161/USDT", "eip155:8453/USDC"])
        let first = try await lost(desk)
        let wallets = PayingWallets([
            PayingWallet(
                name: "main", signer: desk.signer,
                rules: [what == .payList ? "eip155:8453/USDC" : "eip155:42161/USDT"].compactMap { PayRule($0) })
        ])
        let engine = try desk.engine(over: WatchedStore(desk.books), wallets: wallets)
        engine.replace(policy: what.rules, gateways: .lab(what.policy))
        // What the seller asks by now would be paid, if it were a request of its own.
        var source = challenge(amount: "4000").withPayee(Tightening.other)
        if what == .payList { source = Self.onBase }
        let answer = await engine.answer(source, for: desk.request(policy: what.policy))
        #expect(answer.failure?.payment == first.id, "\(answer)")
        let codes: [Tightening: String] = [
            .payees: "payee-not-pinned", .maximum: "payment-too-large", .policy: "policy-refused",
            .payList: "not-in-pay-list",
        ]
        #expect(answer.failure?.code == codes[what])
        #expect(desk.signer.signatures == 1)
        #expect(try await desk.state(first) == .inDoubt)
        #expect(try await desk.rows.count == 1)
    }

    /// Four tenths of a cent of USDC on Base.
    private static let onBase: ChallengeSource = {
        let document =
            #"{"x402Version":2,"accepts":[{"scheme":"exact","network":"eip155:8453","#
            + #""asset":"0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913","amount":"4000","#
            + #""payTo":"\#(Tightening.other)","maxTimeoutSeconds":60,"extra":{"name":"USD Coin","version":"2"}}]}"#
        return ChallengeSource(header: Array(document.utf8), body: nil)
    }()

    @Test("a parallel identical request, another request and another body are payments of their own")
    func separate() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        let parallel = try await desk.paid()
        let other = try await desk.paid(for: desk.request(number: 10))
        #expect(Set([first.id, parallel.id, other.id]).count == 3)
        #expect(Set([first.header.value, parallel.header.value, other.header.value]).count == 3)
    }

    @Test("an adopted payment that is not sent after all stays exposed")
    func notSentAgain() async throws {
        let desk = try await Desk()
        let first = try await lost(desk)
        let second = try await desk.paid()
        await desk.book(.neverSent(reason: "no connection"), of: second)
        #expect(try await desk.state(first) == .inDoubt)
        let hasGone = Withdrawal()
        let store = WatchedStore(desk.books, onReserved: { hasGone.withdraw() })
        let engine = try desk.engine(over: store)
        let answer = await engine.answer(challenge(), for: desk.request(), withdrawal: hasGone)
        #expect(answer.isAbandoned)
        #expect(try await desk.state(first) == .inDoubt)
        #expect(try await desk.books.used(.day) == .cents(1))
    }

    @Test("another wallet, or the same name with another key, cannot take an attempt over")
    func otherWallet() async throws {
        let desk = try await Desk(wallets: ["main", "other"])
        let first = try await lost(desk, for: desk.request(wallet: "main"))
        let failure = await desk.answer(for: desk.request(wallet: "other")).failure
        #expect(failure?.code == "attempt-unresolved" && failure?.status == 402)
        #expect(failure?.earlier == first.id && failure?.isRetryable == true)
        #expect(failure?.retryAt == Timestamp(seconds: first.terms.validBefore + 60))
        #expect(try await desk.state(first) == .inDoubt)
        #expect(desk.signer.signatures == 1)
        #expect(desk.log.lines.contains { $0.hasPrefix("error: earlier attempt cannot be sent again") })

        var bytes = [UInt8](repeating: 3, count: 32)
        let key = try SigningKey(
            secret: SecretBytes.copyAndWipe(&bytes), context: Secp256k1Context(seed: SeededRandom(seed: 4).bytes32()))
        let other = try CountingSigner(key: key)
        let rules = ["eip155:42161/USDT"].compactMap(PayRule.init)
        let engine = try desk.engine(
            over: WatchedStore(desk.books),
            wallets: PayingWallets([PayingWallet(name: "main", signer: other, rules: rules)]))
        let answer = await engine.answer(challenge(), for: desk.request(wallet: "main"))
        #expect(answer.failure?.code == "attempt-unresolved" && other.signatures == 0)
        #expect(try await desk.state(first) == .inDoubt)
    }

    @Test("a signature that comes out different is not sent")
    func differentSignature() async throws {
        let desk = try await Desk()
        let first = try await desk.paid()
        var other = first.signature
        other[3] ^= 1
        _ = try await desk.books.book(
            .lostSight, of: first.id, evidence: PaymentEvidence(signature: other), at: .vectors)
        let failure = await desk.answer().failure
        #expect(failure?.code == "attempt-unresolved")
        #expect(try await desk.state(first) == .inDoubt)
        #expect(desk.log.lines.contains { $0.hasPrefix("error: signature differs") })
    }

    @Test("a seller that has seen the adopted bytes has taken the money")
    func alreadyUsed() async throws {
        let desk = try await Desk()
        let first = try await lost(desk)
        let second = try await desk.paid()
        await desk.book(.response(status: 409, report: nil), of: second)
        #expect(try await desk.state(first) == .presumed)
        // The same answer to bytes that were sent for the first time says nothing.
        let fresh = try await desk.paid(for: desk.request(number: 10))
        await desk.book(.response(status: 409, report: nil), of: fresh)
        #expect(try await desk.state(fresh) == .inDoubt)
        let again = try await desk.paid(for: desk.request(number: 11))
        await desk.book(.response(status: 409, report: nil), of: again, isRepeat: true)
        #expect(try await desk.state(again) == .presumed)
    }

    @Test("shortly before its window ends an attempt is not sent again, and nothing else is signed until it is over")
    func tooLate() async throws {
        let desk = try await Desk()
        let first = try await lost(desk)
        desk.clock.advance(seconds: 55)
        let failure = await desk.answer().failure
        #expect(failure?.code == "attempt-unresolved" && failure?.retryAt?.seconds == first.terms.validBefore + 60)
        desk.clock.advance(seconds: 66)
        #expect(await desk.answer().failure?.code == "attempt-unresolved")
        #expect(try await desk.books.closeOverdue(OverduePolicy(), at: desk.clock.now()).value == 1)
        #expect(try await desk.paid().id != first.id)
    }

    // MARK: Idempotency keys

    @Test("a repeated key sends the settled payment's bytes again, and its late outcome changes nothing")
    func keyAfterSettlement() async throws {
        let desk = try await Desk()
        let first = try await desk.paid(for: desk.request(key: 1))
        let report = SettlementReport.read(header: Array(#"{"success":true,"transaction":"0xab"}"#.utf8))
        await desk.book(.response(status: 200, report: report), of: first)
        let second = try await desk.paid(for: desk.request(key: 1))
        #expect(second.isAdopted && second.header == first.header && second.state == .settled)
        await desk.book(.response(status: 409, report: nil), of: second)
        await desk.book(.neverSent(reason: "x"), of: second)
        await desk.book(.response(status: 402, report: nil), of: second)
        #expect(try await desk.state(first) == .settled)
        #expect(try await desk.books.used(.day) == .cents(1))
    }

    @Test("a key says what a request may not do: be another one, run twice, or be paid for again")
    func keyRefusals() async throws {
        let desk = try await Desk()
        let first = try await desk.paid(for: desk.request(key: 1))
        let reused = await desk.answer(for: desk.request(number: 10, key: 1)).failure
        #expect(reused?.code == "idempotency-key-reused" && reused?.status == 422 && reused?.earlier == first.id)
        let inUse = await desk.answer(for: desk.request(key: 1)).failure
        #expect(inUse?.code == "idempotency-key-in-use" && inUse?.status == 409)
        #expect(inUse?.isRetryable == false && reused?.isRetryable == false)
        await desk.book(.response(status: 200, report: nil), of: first)
        desk.clock.advance(seconds: 200)
        let spent = await desk.answer(for: desk.request(key: 1)).failure
        #expect(spent?.code == "idempotency-key-spent" && spent?.status == 402)
        #expect(try await desk.paid(for: desk.request(key: 2)).id != first.id)
    }
}
