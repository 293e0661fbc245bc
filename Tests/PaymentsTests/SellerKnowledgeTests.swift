import Ethereum
import Ledger
import Policy
import Primitives
import Synchronization
import TestSupport
import Testing
import X402

@testable import Payments

/// A witness that says one allowance, or nothing.
private final class ScriptedAllowance: AllowanceWitness {
    struct Silent: Error {}

    private let amounts: Mutex<[UInt256]>
    private let asked = Mutex<[Int64]>([])

    /// Says these amounts one after the other, and the last one from then on.
    init(_ amounts: UInt256...) {
        self.amounts = Mutex(amounts)
    }

    /// The greatest ages that were accepted, in the order of the questions.
    var ages: [Int64] { asked.withLock { $0 } }

    func allowance(
        owner: Address, token: Address, spender: Address, maximumAge: Int64
    ) async throws -> AllowanceReading {
        asked.withLock { $0.append(maximumAge) }
        let amount = amounts.withLock { $0.count > 1 ? $0.removeFirst() : $0.first }
        guard let amount, spender == Permit2.address else { throw Silent() }
        return AllowanceReading(amount: amount, block: 1, readAt: .vectors)
    }

    private let forgotten = Mutex(0)

    /// How often it was told to forget.
    var forgettings: Int { forgotten.withLock { $0 } }

    func forget(owner: Address) async { forgotten.withLock { $0 += 1 } }

    func permitNonce(owner: Address, token: Address) async throws -> UInt256 { throw Silent() }

    func nextTransactionNumber(of account: Address) async throws -> UInt64 { throw Silent() }

    func fee() async throws -> Transaction.Fee { throw Silent() }
}

@Suite("What is known before a payment")
struct SellerKnowledgeTests {
    private static let bnb = "eip155:56"
    private static let cent = UInt256(10_000_000_000_000_000)

    private static func permit2(_ amount: String = "10000000000000000", extensions: String = "") -> ChallengeSource {
        let document =
            #"{"x402Version":2,"accepts":[{"scheme":"exact","network":"bsc","#
            + #""asset":"0x55d398326f99059fF775485246999027B3197955","amount":"\#(amount)","#
            + #""payTo":"\#(seller)","maxTimeoutSeconds":60,"extra":{"assetTransferMethod":"permit2"}}]\#(extensions)}"#
        return ChallengeSource(header: Array(document.utf8), body: nil)
    }

    private func desk(_ witness: ScriptedAllowance) async throws -> Desk {
        try await Desk(rules: ["eip155:56/USDT", "eip155:42161/USDT"], allowances: [Self.bnb: witness])
    }

    // MARK: Allowances

    @Test("a payment that the wallet's allowance does not cover is refused before anything is signed")
    func missing() async throws {
        let witness = ScriptedAllowance(UInt256(1))
        let desk = try await desk(witness)
        guard case .refuse(let failure) = await desk.answer(Self.permit2()) else {
            Issue.record("it was paid")
            return
        }
        #expect(failure.code == "allowance-missing" && failure.status == 402 && failure.price == .cents(1))
        #expect(failure.detail.contains("purser wallet approve main --network eip155:56 --asset USDT"))
        #expect(desk.signer.signatures == 0)
        #expect(try await desk.books.used(.day) == .zero)
        let row = try #require(try await desk.rows.first)
        #expect(row.state == .refused && row.terms?.amount == Self.cent && row.terms?.payTo == seller)
        // What was remembered is read anew before anybody is refused.
        #expect(witness.ages == [600, 0])
        #expect(desk.log.lines.contains { $0.contains("an allowance to Permit2 is missing") })
    }

    @Test("an allowance that was raised meanwhile is enough, and one that covers the price is asked for once")
    func enough() async throws {
        let raised = ScriptedAllowance(.zero, Self.cent)
        _ = try await desk(raised).paid(Self.permit2())
        #expect(raised.ages == [600, 0])
        let covering = ScriptedAllowance(Self.cent)
        _ = try await desk(covering).paid(Self.permit2())
        #expect(covering.ages == [600])
    }

    @Test("a chain that cannot be read keeps nobody from paying, and EIP-3009 needs no allowance")
    func unread() async throws {
        _ = try await desk(ScriptedAllowance()).paid(Self.permit2())
        let witness = ScriptedAllowance(.zero)
        _ = try await desk(witness).paid()
        #expect(witness.ages.isEmpty)
    }

    @Test(
        "a seller's word of a missing allowance is understood",
        arguments: [
            (402, "permit2_allowance_required", true), (412, "permit2_allowance_required", true), (412, nil, true),
            (402, "invalid_exact_evm_permit2_payload_allowance_required", true), (402, nil, false),
            (402, "insufficient_funds", false), (200, "permit2_allowance_required", false),
        ] as [(Int, String?, Bool)])
    func sellersWord(status: Int, reason: String?, isMissing: Bool) async throws {
        let witness = ScriptedAllowance(Self.cent)
        let desk = try await desk(witness)
        let payment = try await desk.paid(Self.permit2())
        let answer = PaidAnswer.response(status: status, report: nil, reason: reason)
        #expect(answer.saysAllowanceMissing == isMissing)
        await desk.book(answer, of: payment)
        #expect(desk.log.lines.contains { $0.contains("an allowance to Permit2 is missing") } == isMissing)
        #expect(witness.forgettings == (isMissing ? 1 : 0))
    }

    // MARK: Memory

    @Test(
        "a lesson costs the same however many routes of its host are known, and all of them have it",
        .timeLimit(.minutes(1)))
    func lessons() async throws {
        let knowledge = SellerKnowledge(store: InMemoryLedger(), logger: RecordingLog().logger)
        func key(_ number: Int) -> SellerKey {
            SellerKey(agent: "scout", host: "api.example", method: "GET", path: "/orders/\(number)", model: .absent)
        }
        func learn(_ payee: String, of number: Int, price: Dollars) throws {
            let lesson = Recollection.none.lesson(about: key(number), asset: "usdt", payee: payee, price: price)
            knowledge.learn(try #require(lesson))
        }
        // Each item of a shop is a route of its own, so each purchase teaches something.
        for number in 1..<SellerKnowledge.limit {
            _ = await knowledge.recollection(of: key(number))
            for payee in ["0xA", "0xB"] {
                try learn(payee, of: number, price: .cents(Int64(number)))
            }
        }
        try learn("0xC", of: 9500, price: .cents(7))
        for number in [1, 2, SellerKnowledge.limit - 1] {
            let found = await knowledge.recollection(of: key(number))
            #expect(found.payees == ["usdt": ["0xA", "0xB", "0xC"]])
            #expect(found.prices == ["usdt": .cents(Int64(number))])
        }
        // What was never asked for is read from the books, and knows what the host's other routes know.
        #expect(await knowledge.recollection(of: key(9500)).prices.isEmpty)
        #expect(await knowledge.recollection(of: key(9500)).payees == ["usdt": ["0xA", "0xB", "0xC"]])
    }

    @Test("a host that is paid at another address, or far above its price, is told once an hour")
    func unusual() async throws {
        let desk = try await Desk()
        _ = try await desk.paid()
        let other = challenge().withPayee("0x3325a78425F17a7E487Eb5666b2bFd93aBb06c70")
        _ = try await desk.paid(other, for: desk.request(number: 10))
        _ = try await desk.paid(challenge(amount: "100001"), for: desk.request(number: 11))
        let unusual = desk.log.lines.filter { $0.contains("unusual payment") }
        #expect(unusual.count == 2)
        #expect(unusual[0].contains("payee-new") && unusual[1].contains("price-higher"))
        // Both are known now, to another engine over the same books as well.
        let again = try desk.engine(over: WatchedStore(desk.books))
        for (number, source) in [(12, other), (13, challenge(amount: "100001"))] as [(UInt64, ChallengeSource)] {
            guard case .pay = await again.answer(source, for: desk.request(number: number))
            else {
                Issue.record("it was not paid")
                return
            }
        }
        #expect(desk.log.lines.filter { $0.contains("unusual payment") }.count == 2)
    }

    // MARK: Signing in

    private func asking(_ desk: Desk, number: UInt64, may: Bool = true, opted: Bool = true) -> PaymentRequest {
        var policy = GatewayPolicy()
        policy.signsIn = opted
        return desk.request(number: number, policy: policy, maySignIn: may)
    }

    @Test("a wallet signs in where something was bought before, once, and only where the gateway is set to it")
    func signsIn() async throws {
        let desk = try await Desk()
        guard case .pay(let first) = await desk.answer(signInChallenge(), for: asking(desk, number: 1)) else {
            Issue.record("nothing was bought before, so it has to be paid")
            return
        }
        await desk.book(.response(status: 200, report: nil), of: first)
        guard case .signIn(let header) = await desk.answer(signInChallenge(), for: asking(desk, number: 2)) else {
            Issue.record("no sign-in")
            return
        }
        #expect(header.name == "sign-in-with-x")
        let sent = try JSONReader.read(#require(Base64.decodeLenient(header.value.utf8)))
        #expect(sent["address"]?.string == desk.signer.address.checksummed && sent["domain"]?.string == "x")
        for request in [asking(desk, number: 3, may: false), asking(desk, number: 4, opted: false)] {
            guard case .pay = await desk.answer(signInChallenge(), for: request) else {
                Issue.record("it was not paid")
                return
            }
        }
    }

    @Test("when an agent has signed in as often as it may, its requests are paid, until an hour has passed")
    func signInLimit() async throws {
        let desk = try await Desk()
        await desk.book(.response(status: 200, report: nil), of: try await desk.paid(for: asking(desk, number: 1)))
        var policy = GatewayPolicy()
        policy.signsIn = true
        #expect(policy.signInsPerHour == 10)
        policy.signInsPerHour = 2
        func isSignedIn(_ number: UInt64, at time: String = "2026-11-22T00:00:00Z") async -> Bool {
            let request = desk.request(number: number, policy: policy, maySignIn: true)
            if case .signIn = await desk.answer(signInChallenge(at: time), for: request) { return true }
            return false
        }
        #expect(await isSignedIn(2))
        #expect(await isSignedIn(3))
        let before = try await desk.rows.count
        #expect(await !isSignedIn(4))
        #expect(try await desk.rows.count == before + 1)
        #expect(desk.log.lines.contains { $0.contains("no sign-in is left this hour") })
        desk.clock.advance(seconds: 3600)
        #expect(await isSignedIn(5, at: "2026-11-22T01:00:00Z"))
    }

    @Test("a challenge that would not be paid is not signed in for", arguments: ["2000000", "0"])
    func unpayable(amount: String) async throws {
        let desk = try await Desk()
        await desk.book(.response(status: 200, report: nil), of: try await desk.paid(for: asking(desk, number: 1)))
        let before = desk.signer.signatures
        let answer = await desk.answer(signInChallenge(amount: amount), for: asking(desk, number: 2))
        #expect(answer.failure != nil && desk.signer.signatures == before)
    }

    @Test("books that cannot be written mean that no wallet signs in")
    func unwritable() async throws {
        let desk = try await Desk()
        await desk.book(.response(status: 200, report: nil), of: try await desk.paid(for: asking(desk, number: 1)))
        let engine = try desk.engine(over: WatchedStore(desk.books, refusesToWrite: true))
        let before = desk.signer.signatures
        let answer = await engine.answer(signInChallenge(), for: asking(desk, number: 2))
        #expect(answer.failure?.code == "books-unavailable" && desk.signer.signatures == before)
    }

    @Test("a seller that asks to sign in elsewhere gets no signature, and is paid as usual")
    func phishing() async throws {
        let desk = try await Desk()
        _ = try await desk.paid()
        let before = desk.signer.signatures
        guard case .pay = await desk.answer(signInChallenge(domain: "bank.example"), for: asking(desk, number: 2))
        else {
            Issue.record("it was not paid")
            return
        }
        #expect(desk.signer.signatures == before + 1)
        #expect(desk.log.lines.contains { $0.contains("no sign-in") })
    }

    // MARK: Maxima and proofs

    @Test("a trusted seller's word frees what it did not take, another seller's does not", arguments: [true, false])
    func partial(isTrusted: Bool) async throws {
        let desk = try await Desk(rules: ["eip155:56/USDT"])
        let source = challenge().asUpto("0x3325a78425F17a7E487Eb5666b2bFd93aBb06c70")
        var policy = GatewayPolicy()
        policy.trustsPartial = isTrusted
        let payment = try await desk.paid(source, for: desk.request(policy: policy))
        let report = try #require(
            SettlementReport.read(
                header: Array(
                    #"{"success":true,"transaction":"0x1","network":"eip155:56","amount":"2500000000000000"}"#.utf8)))
        let answer = PaidAnswer.response(status: 200, report: report)
        let told = isTrusted ? UInt256(2_500_000_000_000_000) : payment.terms.amount
        #expect(payment.amountCounted(after: answer) == told)
        await desk.book(answer, of: payment)
        let record = try #require(await desk.books.payment(payment.id))
        #expect(record.state == .settled)
        #expect(record.moved == (isTrusted ? UInt256(2_500_000_000_000_000) : nil))
        #expect(try await desk.books.used(.day) == (isTrusted ? Dollars("0.0025") : .cents(1)))
    }

    @Test("an offer by a pinned did:web of which there is no document is paid, and is not called verified")
    func uncheckedOffer() async throws {
        func text(_ json: String) -> String {
            Base64.encode(Array(json.utf8)).replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        }
        let payload =
            #"{"version":1,"resourceUrl":"https://x/y","scheme":"exact","network":"eip155:42161","#
            + #""asset":"0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9","payTo":"\#(seller)","amount":"10000"}"#
        let header = text(#"{"alg":"EdDSA","kid":"did:web:keys.example#1"}"#)
        let signature = String(repeating: "A", count: 86)
        let offer =
            #""offer-receipt":{"info":{"offers":[{"format":"jws","#
            + #""signature":"\#(header).\#(text(payload)).\#(signature)"}]}}"#
        let desk = try await Desk()
        var policy = GatewayPolicy()
        policy.signers = PinnedSigners(identifiers: ["did:web:keys.example"])
        _ = try await desk.paid(challenge().withExtension(offer), for: desk.request(policy: policy))
        let lines = desk.log.lines.filter { $0.contains("offer") && $0.contains("erified") }
        #expect(lines.count == 1 && lines.allSatisfy { $0.contains("offer not verified") }, "\(lines)")
        #expect(!desk.log.lines.contains { $0.contains("info: offer verified") })
    }

    @Test("an offer that says something else than is paid, and a receipt that cannot be read, are told")
    func proofs() async throws {
        let desk = try await Desk()
        let offer =
            #""offer-receipt":{"info":{"offers":[{"format":"eip712","payload":{"version":1,"resourceUrl":"https://x/y","#
            + #""scheme":"exact","network":"eip155:42161","asset":"0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9","#
            + #""payTo":"\#(seller)","amount":"9"},"signature":"0x\#(String(repeating: "11", count: 64))1b"}]}}"#
        let payment = try await desk.paid(challenge().withExtension(offer))
        #expect(try await desk.books.payment(payment.id)?.echo?.offer?.isEmpty == false)
        #expect(desk.log.lines.contains { $0.contains("a seller's offer does not hold") && $0.contains("amount") })
        let report = try #require(
            SettlementReport.read(
                header: Array(#"{"success":true,"extensions":{"offer-receipt":{"info":{"receipt":7}}}}"#.utf8)))
        await desk.book(.response(status: 200, report: report), of: payment)
        #expect(desk.log.lines.contains { $0.contains("a seller's receipt does not hold") })
    }
}

extension ChallengeSource {
    private func replacing(_ text: String, _ other: String) -> ChallengeSource {
        let document = String(decoding: fields.first?.values.first ?? [], as: UTF8.self)
        return ChallengeSource(header: Array(document.replacing(text, with: other).utf8), body: nil)
    }

    func withPayee(_ payee: String) -> ChallengeSource { replacing(seller, payee) }

    func withExtension(_ member: String) -> ChallengeSource {
        replacing(#""extensions":{"#, #""extensions":{\#(member),"#)
    }

    /// The same for at most a cent of USDT on BNB Chain.
    fileprivate func asUpto(_ facilitator: String) -> ChallengeSource {
        replacing(#""scheme":"exact""#, #""scheme":"upto""#).replacing(#""network":"arbitrum""#, #""network":"bsc""#)
            .replacing("0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", "0x55d398326f99059fF775485246999027B3197955")
            .replacing(#""amount":"10000""#, #""amount":"10000000000000000""#)
            .replacing(#"{"name":"USD\u20ae0","version":"1"}"#, #"{"facilitatorAddress":"\#(facilitator)"}"#)
    }
}
