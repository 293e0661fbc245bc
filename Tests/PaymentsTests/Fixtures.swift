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

    init(fails: Bool = false, look: @escaping @Sendable () -> Void = {}) throws {
        key = try payerKey.get()
        self.fails = fails
        self.look = look
    }

    var address: Address { key.address }

    /// How many signatures were asked for.
    var signatures: Int { count.withLock { $0 } }

    func sign(digest: Bytes32) throws(SigningError) -> Signature {
        count.withLock { $0 += 1 }
        look()
        if fails { throw .faulty }
        return try key.sign(digest: digest)
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

/// An engine over books that can be looked at.
struct Desk {
    let books: InMemoryLedger
    let signer: CountingSigner
    let engine: PaymentEngine
    let clock = FixedClock()
    private let agent: Agent

    init(
        caps: [Cap] = [Cap(window: .day, limit: .cents(100))], books: InMemoryLedger = InMemoryLedger(),
        store: (any LedgerStore)? = nil, signer: CountingSigner? = nil,
        random: any RandomSource = SeededRandom(seed: 1), rules: [String] = ["eip155:42161/USDT", "eip155:8453/USDC"],
        isKnown: Bool = true, wallets: [String] = ["main"], log: RecordingLog = RecordingLog()
    ) async throws {
        self.books = books
        let signer = try signer ?? CountingSigner()
        self.signer = signer
        agent = .sample(caps: caps)
        if isKnown { try await books.add(agent) }
        let rules = rules.compactMap(PayRule.init)
        engine = PaymentEngine(
            store: store ?? books, table: try .pinned(),
            wallets: PayingWallets(wallets.map { PayingWallet(name: $0, signer: signer, rules: rules) }),
            clock: clock, random: random, logger: log.logger)
    }

    func request(method: String = "POST", wallet: String? = nil) -> PaymentRequest {
        PaymentRequest(
            agent: Agent(name: agent.name, wallet: wallet, tokenHash: agent.tokenHash, caps: [], addedAt: .vectors),
            gateway: "lab", method: method, url: "https://x/y", fingerprint: .numbered(9))
    }

    func answer(_ source: ChallengeSource = challenge()) async -> ChallengeAnswer {
        await engine.answer(source, for: request()) { false }
    }

    /// The payment of an answer that pays.
    func paid(_ source: ChallengeSource = challenge()) async throws -> AuthorizedPayment {
        guard case .pay(let payment) = await answer(source) else { throw Unexpected() }
        return payment
    }

    var rows: [PaymentRecord] {
        get async throws { try await books.payments(PaymentFilter(limit: 1000)) }
    }

    struct Unexpected: Error {}
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
