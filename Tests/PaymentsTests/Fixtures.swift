import Ethereum
import Ledger
import Payments
import Policy
import Primitives
import Synchronization
import SystemCrypto
import TestSupport
import Wallets
import X402

let seller = "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c"

/// The vectors' payer, key 0x01 × 32.
let payerKey = Result {
    var key = [UInt8](repeating: 1, count: 32)
    return try SigningKey(
        secret: SecretBytes.copyAndWipe(&key), context: Secp256k1Context(seed: SeededRandom(seed: 1).bytes32()))
}

/// A signer that counts, and that looks around at the moment of signing.
final class CountingSigner: Signer {
    private let key: SigningKey
    private let count = Mutex(0)
    private let fails: Bool
    private let look: @Sendable () -> Void

    init(
        fails: Bool = false, key: SigningKey? = nil, look: @escaping @Sendable () -> Void = {}
    ) throws {
        self.key = try key ?? payerKey.get()
        self.fails = fails
        self.look = look
    }

    var address: Address { key.address }

    /// How many signatures were asked for.
    var signatures: Int { count.withLock { $0 } }

    func sign(_ statement: Signable) throws(SigningError) -> Signature {
        count.withLock { $0 += 1 }
        look()
        if fails { throw .faulty }
        return try key.sign(statement)
    }

    func sign(checkpoint: CheckpointText) throws(SigningError) -> Signature {
        if fails { throw .faulty }
        return try key.sign(checkpoint: checkpoint)
    }
}

/// A challenge for USDT on Arbitrum, as a header of version 2.
func challenge(amount: String = "10000", more: String = "") -> ChallengeSource {
    let document =
        #"{"x402Version":2,"resource":{"url":"https://x/y","none":null},"accepts":[{"scheme":"exact","#
        + #""network":"arbitrum","asset":"0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9","amount":"\#(amount)","#
        + #""payTo":"\#(seller)","maxTimeoutSeconds":60,"extra":{"name":"USD\u20ae0","version":"1"}\#(more)}],"#
        + #""extensions":{"payment-identifier":{"info":{"required":true}}}}"#
    return ChallengeSource(header: Array(document.utf8), body: nil)
}

/// The same challenge, by a seller at which wallets can sign in.
func signInChallenge(
    domain: String = "x", at time: String = "2026-11-22T00:00:00Z", amount: String = "10000"
) -> ChallengeSource {
    let info =
        #"{"domain":"\#(domain)","uri":"https://\#(domain)/y","version":"1","nonce":"0123456789abcdef","#
        + #""issuedAt":"\#(time)"}"#
    return challenge(amount: amount).withExtension(
        #""sign-in-with-x":{"info":\#(info),"supportedChains":[{"chainId":"eip155:42161","type":"eip191"}]}"#)
}

extension SellerSite {
    /// Where the desk's gateway leads.
    static let lab = SellerSite(origin: "https://x", basePath: "")
}

extension [String: GatewayTerms] {
    /// The entry of the desk's gateway.
    static func lab(_ policy: GatewayPolicy = GatewayPolicy()) -> [String: GatewayTerms] {
        ["lab": GatewayTerms(site: .lab, policy: policy)]
    }
}

/// An engine over books that can be looked at.
struct Desk {
    let books: InMemoryLedger
    let signer: CountingSigner
    let engine: PaymentEngine
    let clock = FixedClock()
    let log: RecordingLog
    private let wallets: PayingWallets
    private let random: any RandomSource
    let agent: Agent

    /// Announces and books what came back, as an exchange does.
    func book(
        _ answer: PaidAnswer, of payment: AuthorizedPayment, isRepeat: Bool = false, isOrphan: Bool = false,
        delivery: AnswerDelivery? = nil
    ) async {
        engine.announceOutcome(of: payment)
        await engine.book(answer, of: payment, isRepeat: isRepeat, isOrphan: isOrphan, delivery: delivery)
    }

    /// Announces and books what became of an answer after its head.
    func book(_ delivery: AnswerDelivery, of payment: AuthorizedPayment, after event: PaymentEvent) async {
        engine.announceOutcome(of: payment)
        await engine.book(delivery, of: payment, after: event)
    }

    init(
        caps: [CapLimit] = [CapLimit(.day, .cents(100))], team: String? = nil, books: InMemoryLedger = InMemoryLedger(),
        store: (any LedgerStore)? = nil, signer: CountingSigner? = nil,
        random: any RandomSource = SeededRandom(seed: 1), rules: [String] = ["eip155:42161/USDT", "eip155:8453/USDC"],
        isKnown: Bool = true, wallets: [String] = ["main"], log: RecordingLog = RecordingLog(),
        allowances: [String: any AllowanceWitness] = [:], balances: [String: any BalanceWitness] = [:],
        policy: PolicySnapshot? = nil,
        sponsoredApprovals: [String] = [], outstandingBeforeAcceptance: Int = .max
    ) async throws {
        self.books = books
        let signer = try signer ?? CountingSigner()
        self.signer = signer
        self.log = log
        let sample = SampleAgent.sample(team: team, caps: caps)
        agent = sample.agent
        if isKnown { try await books.add(sample) }
        let rules = rules.compactMap(PayRule.init)
        let approvals = sponsoredApprovals.compactMap(PayRule.init)
        self.wallets = PayingWallets(
            wallets.map { PayingWallet(name: $0, signer: signer, rules: rules, sponsoredApprovals: approvals) })
        self.random = random
        engine = PaymentEngine(
            store: store ?? books, table: try .pinned(), wallets: self.wallets, clock: clock, random: random,
            logger: log.logger, allowances: allowances, balances: balances, policy: policy,
            outstandingBeforeAcceptance: outstandingBeforeAcceptance)
    }

    /// Another engine of the same desk, over books that a test stands in front of.
    func engine(over store: WatchedStore, wallets other: PayingWallets? = nil) throws -> PaymentEngine {
        PaymentEngine(
            store: store, table: try .pinned(), wallets: other ?? wallets, clock: clock, random: random,
            logger: log.logger, outstandingBeforeAcceptance: .max)
    }

    /// A request of the desk's agent; equal numbers are equal requests.
    func request(
        method: String = "POST", wallet: String? = nil, number: UInt64 = 9, key: UInt64? = nil,
        policy: GatewayPolicy = GatewayPolicy(), maySignIn: Bool = false, site: SellerSite = .lab,
        addedAt: Timestamp = .vectors, path: String = "/y", gateway: String = "lab", host: String = "x",
        buysAgain: Bool = false
    ) -> PaymentRequest {
        PaymentRequest(
            agent: Agent(
                name: agent.name, wallet: wallet, team: agent.team, tokenHash: agent.tokenHash, addedAt: addedAt),
            claim: AgentClaim(agent, tokenHash: agent.tokenHash, generation: books.currentGeneration),
            gateway: gateway, host: host, site: site,
            content: PaymentIntent.Request(
                method: method, url: "https://\(host)\(path)", model: .known("light"), fingerprint: .numbered(number)),
            target: path, idempotencyKey: key.map { .numbered($0) }, policy: policy, maySignIn: maySignIn,
            buysAgain: buysAgain)
    }

    func answer(
        _ source: ChallengeSource = challenge(), for request: PaymentRequest? = nil
    ) async -> ChallengeAnswer {
        let answer = await engine.answer(source, for: request ?? self.request())
        if case .pay(let payment) = answer { engine.decisionIsTaken(of: payment) }
        return answer
    }

    /// The payment of an answer that pays.
    func paid(
        _ source: ChallengeSource = challenge(), for request: PaymentRequest? = nil
    ) async throws -> AuthorizedPayment {
        let answer = await answer(source, for: request)
        guard case .pay(let payment) = answer else { throw Unexpected(answer: "\(answer)") }
        return payment
    }

    /// The state of a payment.
    func state(_ payment: AuthorizedPayment) async throws -> PaymentState? {
        try await books.payment(payment.id)?.state
    }

    var rows: [PaymentRecord] {
        get async throws { try await books.payments(PaymentFilter(limit: 1000)) }
    }

    struct Unexpected: Error {
        let answer: String
    }
}

extension Withdrawal {
    /// Of a request whose agent has left.
    static var withdrawn: Withdrawal {
        let withdrawal = Withdrawal()
        withdrawal.withdraw()
        return withdrawal
    }
}

extension ChallengeAnswer {
    /// The failure of an answer that refuses.
    var failure: PaymentFailure? {
        if case .refuse(let failure) = self { failure } else { nil }
    }

    var isPassThrough: Bool {
        if case .passThrough = self { true } else { false }
    }

    var isAbandoned: Bool {
        if case .abandoned = self { true } else { false }
    }
}
