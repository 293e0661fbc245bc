import Ethereum
import Ledger
import Policy
import Primitives
import Synchronization
import SystemCrypto
import TestSupport
import Testing
import Wallets
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

    /// Prices whose clock a test moves on by a second with each lesson.
    private final class School: Sendable {
        let prices: LearnedPrices
        private let time: Replaceable<Int64>

        init(total: Int = 1_024) {
            let time = Replaceable(Int64(0))
            self.time = time
            prices = LearnedPrices(total: total, agents: ActiveAgents { time.current })
        }

        func lesson(_ path: String, of agent: String = "scout", model: String? = nil) throws -> PriceLesson {
            PriceLesson(
                route: RequestRoute(agent: agent, gateway: "lab", method: "GET", target: path), model: Fact(model),
                challenge: try Challenge.read(challenge()), accepted: [],
                binding: try LearnedPriceTests.binding(), seenAt: .vectors, isAttached: false)
        }

        func teach(_ lesson: PriceLesson, times: Int = 1) {
            time.replace(with: time.current + 1_000)
            for _ in 0..<times { prices.learn(lesson, .good) }
        }

        func knows(_ path: String, of agent: String = "scout") throws -> Bool {
            prices.isKnown(try lesson(path, of: agent).route)
        }
    }

    @Test("an agent's routes that are bought once make room for its others, and those with a price stay")
    func room() throws {
        let school = School(total: 128)
        let regular = try school.lesson("/regular")
        school.teach(regular, times: 3)
        for number in 0..<300 { school.teach(try school.lesson("/once/\(number)")) }
        #expect(school.prices.hasPrice(of: regular.route, at: .vectors))
        #expect(try !school.knows("/once/0") && school.knows("/once/299"))
        // A sole agent leaves the last quarter.
        #expect(school.prices.snapshot.used == 96)
        for number in 0..<95 { school.teach(try school.lesson("/many/\(number)"), times: 3) }
        #expect(try school.knows("/regular") && !school.knows("/once/299"))
        // Where all have a price the one that was used least recently goes.
        #expect(school.prices.price(of: regular.route, model: .absent, at: .vectors) != nil)
        school.teach(try school.lesson("/more"), times: 3)
        #expect(try school.knows("/regular") && !school.knows("/many/0") && school.knows("/many/1"))
    }

    @Test("however much one agent buys, what others learned within their share stays, and is theirs to fill")
    func quotas() throws {
        let school = School(total: 128)
        for number in 0..<40 { school.teach(try school.lesson("/\(number)", of: "honest"), times: 3) }
        for number in 0..<2_300 { school.teach(try school.lesson("/\(number)", of: "hostile"), times: 3) }
        for number in 0..<40 {
            #expect(school.prices.hasPrice(of: try school.lesson("/\(number)", of: "honest").route, at: .vectors))
        }
        // Its share is 64, and what others have borrowed comes back.
        for number in 40..<64 { school.teach(try school.lesson("/\(number)", of: "honest"), times: 3) }
        for number in 0..<64 { #expect(try school.knows("/\(number)", of: "honest")) }
        #expect(school.prices.snapshot.top.map(\.held) == [64, 64])
        // An agent that comes late gets a third.
        for number in 0..<42 { school.teach(try school.lesson("/\(number)", of: "late"), times: 3) }
        for number in 0..<42 { #expect(try school.knows("/\(number)", of: "late")) }
    }

    @Test("what is longer than 2 KiB is not learned, and each model of a route is one of the agent's prices")
    func sizes() throws {
        let school = School(total: 16)
        let long = try school.lesson("/" + String(repeating: "x", count: 2_048))
        school.teach(long, times: 3)
        #expect(!school.prices.isKnown(long.route))
        let model = try school.lesson("/model", model: String(repeating: "m", count: 2_048))
        school.teach(model, times: 3)
        #expect(school.prices.isKnown(model.route) && !school.prices.hasPrice(of: model.route, at: .vectors))
        for number in 0..<5 { school.teach(try school.lesson("/model", model: "\(number)"), times: 3) }
        #expect(school.prices.snapshot.used == 5)
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
        let attached = await desk.engine.attachment(to: next)
        #expect((attached != nil) == (purchase == .good))
        guard let attached else { return }
        desk.engine.decisionIsTaken(of: attached)
        #expect(attached.isAttached && attached.terms.amount == UInt256(10_000))
        #expect(try await desk.state(attached) == .reserved)
    }

    /// An answer that becomes open to others.
    private final class LateAnswer: OpenAttempts {
        private let open = Mutex(false)

        func become() { open.withLock { $0 = true } }
        func isOpen(_ fingerprint: Bytes32) -> Bool { open.withLock { $0 } }
        func find(_ fingerprint: Bytes32) -> OpenAttempt { isOpen(fingerprint) ? .elsewhere : .none }
    }

    @Test("an answer that opens while a learned price waits for its turn is found within that turn")
    func openedMeanwhile() async throws {
        let desk = try await Desk()
        for number in 0..<UInt64(3) {
            await desk.book(
                try Self.report(), of: try await desk.paid(challenge(), for: desk.request(number: number)))
        }
        let request = desk.request(number: 9)
        let hasLeft = Withdrawal()
        let first = try #require(await desk.engine.attachment(to: request, withdrawal: hasLeft))
        // Its agent leaves, so decisions about the request wait until that is announced.
        hasLeft.withdraw()
        let answer = LateAnswer()
        let second = Task { await desk.engine.attachment(to: request, open: answer) }
        try await Task.sleep(for: .milliseconds(100))
        desk.engine.announceOutcome(of: first)
        desk.engine.decisionIsTaken(of: first)
        answer.become()
        await desk.engine.book(.silence(reason: "the agent went away"), of: first)
        #expect(await second.value == nil)
        #expect(desk.signer.signatures == 4)
        #expect(try await desk.state(first) == .inDoubt)
    }

    /// What is in force for a plain request of scout's.
    fileprivate static func binding(
        from wallet: String = "main", key: CountingSigner? = nil, pay: [String] = ["eip155:42161/USDT"]
    ) throws -> PriceBinding {
        let agent = SampleAgent.sample(caps: []).agent
        let request = PaymentRequest(
            agent: agent, claim: AgentClaim(agent, tokenHash: nil, generation: 1), gateway: "lab", host: "x",
            site: .lab,
            content: PaymentIntent.Request(
                method: "GET", url: "https://x/y", model: .absent, fingerprint: .numbered(1)),
            target: "/y")
        return PriceBinding(
            request,
            from: PayingWallet(
                name: wallet, signer: try key ?? CountingSigner(), rules: pay.compactMap { PayRule($0) }),
            under: nil)
    }

    /// What a reload may change of the gateway that a price was learned for.
    enum Change: String, CaseIterable {
        case scheme, host, port, path, credential, payees, newPayee, maximum, validity, profiles, spenders, partial
        case signIn, signers, rejections, agent

        var site: SellerSite {
            switch self {
            case .scheme: SellerSite(origin: "http://x", basePath: "")
            case .host: SellerSite(origin: "https://other", basePath: "")
            case .port: SellerSite(origin: "https://x:8443", basePath: "")
            case .path: SellerSite(origin: "https://x", basePath: "/y")
            case .credential: SellerSite(origin: "https://x", basePath: "", credential: .numbered(5))
            default: .lab
            }
        }

        var policy: GatewayPolicy {
            var policy = GatewayPolicy()
            switch self {
            case .payees: policy.gate.payees = Set([Address(hex: seller)].compactMap(\.self))
            case .newPayee: policy.gate.newPayee = .refuse
            case .maximum: policy.gate.maxPayment = .cents(50)
            case .validity: policy.gate.maxValidity = 300
            case .profiles: policy.gate.profiles = Set(VendorProfile.allCases)
            case .spenders: policy.gate.spenders = [Permit2.address]
            case .partial: policy.trustsPartial = true
            case .signIn: policy.signsIn = true
            case .signers: policy.signers.identifiers = ["did:web:x"]
            case .rejections: policy.rules.stopAfterRejections = 9
            default: break
            }
            return policy
        }
    }

    /// A desk that has learned what a request of its agent costs.
    private func learnedDesk(policy: PolicySnapshot? = nil) async throws -> Desk {
        let desk = try await Desk(policy: policy)
        for number in 0..<UInt64(3) {
            let payment = try await desk.paid(for: desk.request(number: number))
            await desk.book(try Self.report(), of: payment)
        }
        return desk
    }

    @Test("a learned price is not paid to another seller, or by other rules", arguments: Change.allCases)
    func bound(change: Change) async throws {
        let desk = try await learnedDesk()
        let signatures = desk.signer.signatures
        let other = desk.request(
            number: 4, policy: change.policy, site: change.site,
            addedAt: change == .agent ? Timestamp.vectors.adding(seconds: 1) : .vectors)
        #expect(await desk.engine.attachment(to: other) == nil)
        // It is dropped, for what was in force before as well.
        #expect(await desk.engine.attachment(to: desk.request(number: 5)) == nil)
        #expect(desk.signer.signatures == signatures)
        #expect(try await desk.rows.count == 3)
    }

    @Test("a reload drops the prices of gateways that it changes, also when it is taken back, and no others")
    func dropped() async throws {
        let here = GatewayTerms(site: .lab, policy: GatewayPolicy())
        let elsewhere = GatewayTerms(site: SellerSite(origin: "https://y", basePath: ""), policy: GatewayPolicy())
        for (gateways, isKept) in [
            (["lab": here, "more": elsewhere], true), (["lab": elsewhere], false), ([:], false),
        ] {
            let desk = try await learnedDesk()
            desk.engine.replace(policy: nil, gateways: gateways)
            desk.engine.replace(policy: nil, gateways: ["lab": here])
            let payment = await desk.engine.attachment(to: desk.request(number: 7))
            #expect((payment != nil) == isKept)
        }
    }

    @Test("another policy has prices learned again")
    func otherPolicy() async throws {
        func policy(_ number: UInt64) -> PolicySnapshot {
            PolicySnapshot(rules: PolicyRules([]), hash: .numbered(number))
        }
        let here = ["lab": GatewayTerms(site: .lab, policy: GatewayPolicy())]
        for (next, isKept) in [(policy(1), true), (policy(2), false), (nil, false)] {
            let desk = try await learnedDesk(policy: policy(1))
            desk.engine.replace(policy: next, gateways: here)
            let payment = await desk.engine.attachment(to: desk.request(number: 7))
            #expect((payment != nil) == isKept)
        }
    }

    @Test("an outcome that comes after a reload teaches nothing about the gateway as it is now")
    func lateOutcome() async throws {
        let desk = try await Desk()
        var payments: [AuthorizedPayment] = []
        for number in 0..<UInt64(3) { payments.append(try await desk.paid(for: desk.request(number: number))) }
        let elsewhere = SellerSite(origin: "https://y", basePath: "")
        desk.engine.replace(
            policy: nil, gateways: ["lab": GatewayTerms(site: elsewhere, policy: GatewayPolicy())])
        for payment in payments { await desk.book(try Self.report(), of: payment) }
        #expect(await desk.engine.attachment(to: desk.request(number: 8, site: elsewhere)) == nil)
    }

    @Test("a price belongs to a wallet, its account and what it may pay")
    func walletBinding() throws {
        let bound = try Self.binding()
        #expect(try bound == Self.binding())
        #expect(try bound != Self.binding(from: "spare"))
        #expect(try bound != Self.binding(pay: ["eip155:42161/USDT", "eip155:8453/USDC"]))
        let context = try Secp256k1Context(seed: SeededRandom(seed: 1).bytes32())
        var bytes = [UInt8](repeating: 2, count: 32)
        let other = try SigningKey(secret: SecretBytes.copyAndWipe(&bytes), context: context)
        #expect(try bound != Self.binding(key: CountingSigner(key: other)))
    }
}
