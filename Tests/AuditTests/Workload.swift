import Audit
import Ethereum
import Ledger
import Policy
import Primitives
import TestSupport
import X402

/// Books with some of everything in them: all states, several days, refusals, calls, adjustments, erasures, checkpoints.
struct Workload: Sendable {
    private static let made = Task { try await Workload.make() }

    let ledger = InMemoryLedger()
    let curve: Secp256k1Context
    let assets: AssetTable
    let wallet: Address
    private let key: [UInt8]
    private let random = SeededRandom(seed: 402)

    /// The moment behind the last step.
    static let end = Timestamp.vectors.adding(seconds: 3 * 86_400)
    static let agents = ["scout", "my_agent.v2", "gpt-4"]
    static let payees = [
        "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "0x71C7656EC7ab88b098defB751B7401B5f6d8976F",
        "0xAb5801a7D398351b8bE11C439e05C5B3259aeC9B",
    ]
    static let usdt = "0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
    /// A token of 18 decimals that is not in the pinned table.
    static let foreign = "0x1111111111111111111111111111111111111111"

    init() throws {
        curve = try Secp256k1Context(seed: .zero)
        assets = try AssetTable.pinned()
        let key = [UInt8](repeating: 0x11, count: 32)
        self.key = key
        wallet = try curve.address(ofKey: key.span)
    }

    /// The books, made once: nobody changes them.
    static func seeded() async throws -> Workload { try await made.value }

    private static func make() async throws -> Workload {
        let workload = try Workload()
        try await workload.setUp()
        var now = Timestamp.vectors
        for number in 1...132 {
            try await workload.signDueCheckpoint(at: now)
            try await workload.pay(UInt64(number), at: now)
            now = now.adding(seconds: 1500).adding(milliseconds: 7)
            if number % 11 == 0 {
                _ = try await workload.ledger.closeOverdue(OverduePolicy(lapsing: ["Lab 2"]), at: now)
            }
            if number == 60 {
                _ = try await workload.ledger.erase(before: .vectors.adding(seconds: 30_000), by: "tester", at: now)
            }
        }
        try await workload.signDueCheckpoint(at: now)
        return workload
    }

    private func setUp() async throws {
        for (number, name) in Self.agents.enumerated() {
            try await ledger.add(
                .sample(
                    name, number: UInt64(number + 1), team: number == 0 ? "research" : nil,
                    caps: [
                        CapLimit(.lifetime, .cents(100_000)), CapLimit(.day, .cents(500)),
                        CapLimit(.rolling(minutes: 90), .cents(300)), CapLimit(.day, .payments, UInt256(1000)),
                    ]))
        }
        try await ledger.setCap(Cap(CapScope(.house), CapLimit(.month, .cents(50_000))), by: "tester", at: .vectors)
        try await ledger.setTeam("models", of: "gpt-4", by: "tester", at: .vectors)
        try await ledger.add(.sample("gone", number: 8, caps: [CapLimit(.day, .cents(1))]))
        try await ledger.removeAgent("gone", by: "tester", at: .vectors)
        for scope in [FreezeScope.gateway("closed"), .agent("gpt-4")] {
            _ = try await ledger.freeze(Freeze(scope: scope, since: .vectors, actor: "tester", reason: nil))
        }
        _ = try await ledger.unfreeze(.agent("gpt-4"), by: "tester", at: .vectors)
        try await ledger.setCap(
            Cap(CapScope(.team("research")), CapLimit(.week, .cents(50_000))), by: "tester", at: .vectors)
        try await ledger.adjust(
            Adjustment(
                kind: .opening, wallet: wallet.checksummed, asset: "eip155:42161/\(Self.usdt)",
                amount: UInt256(500_000_000), note: "first \"light\"; of\nday"), by: "tester", at: .vectors)
        try await ledger.adjust(
            Adjustment(
                kind: .topUp, wallet: wallet.checksummed, asset: "eip155:42161/\(Self.usdt)",
                amount: UInt256(7_000_001), note: nil), by: "tester", at: .vectors)
        try await ledger.adjust(
            Adjustment(
                kind: .writeOff, wallet: wallet.checksummed, asset: "eip155:42161/\(Self.usdt)", amount: UInt256(1),
                note: "dust"), by: "tester", at: .vectors)
    }

    private func signDueCheckpoint(at now: Timestamp) async throws {
        guard let statement = try await ledger.dueCheckpoint(at: now) else { return }
        let signature = try curve.sign(digest: statement.digest, key: key.span)
        try await ledger.add(
            Checkpoint(statement: statement, signer: wallet.checksummed, signature: signature.bytes), at: now)
    }

    /// A payment of the workload; every seventh is in a token nobody pinned.
    private func intent(_ number: UInt64, at now: Timestamp) -> PaymentIntent {
        let agent = Self.agents[Int(number) % 3]
        let cents = Int64(random.word() % 9 + 1)
        let sample = PaymentIntent.sample(
            number, agent: agent, team: agent == "scout" ? "research" : nil, gateway: number % 4 == 0 ? "Lab 2" : "lab",
            value: .cents(cents), payer: wallet.checksummed, payTo: Self.payees[Int(number / 3) % 3])
        let isForeign = number % 7 == 0
        let terms = PaymentIntent.Terms(
            scheme: number % 12 == 2 ? "upto" : "exact",
            method: number % 12 == 2 ? "upto-permit2" : "exact-eip3009", network: "eip155:42161",
            asset: isForeign ? Self.foreign : Self.usdt,
            symbol: isForeign ? "dai+" : "USDT", decimals: isForeign ? 18 : 6, wallet: "main",
            payer: wallet.checksummed, payTo: sample.terms.payTo,
            amount: isForeign
                ? UInt256(random.word()) : UInt256(UInt64(cents) * 10_000 + random.word() % 9_999),
            value: sample.terms.value, nonce: sample.terms.nonce, validAfter: now.seconds - 600,
            validBefore: now.seconds + 300)
        return PaymentIntent(
            id: sample.id, purpose: sample.purpose, terms: terms, echo: sample.echo, salt: sample.salt)
    }

    private func signature(over terms: PaymentIntent.Terms) throws -> [UInt8] {
        let separator = Address(hex: terms.asset).flatMap { assets.asset(network: terms.network, address: $0) }?
            .domainSeparator
        guard let payTo = Address(hex: terms.payTo) else { return [] }
        let digest = TransferWithAuthorization(
            from: wallet, to: payTo, value: terms.amount, validAfter: UInt64(terms.validAfter),
            validBefore: UInt64(terms.validBefore), nonce: terms.nonce
        ).digest(domainSeparator: separator ?? .zero)
        return try curve.sign(digest: digest, key: key.span).bytes
    }

    private func pay(_ number: UInt64, at now: Timestamp) async throws {
        if number % 10 == 0 {
            _ = try await ledger.meter(
                MeteredCall(agent: Self.agents[Int(number) % 3], team: nil, gateway: "pre-paid", host: "api.test"),
                at: now)
        }
        if number % 30 == 0 {
            try await ledger.record(
                RefusedPayment(
                    id: PaymentID(at: now, random: .numbered(number)), purpose: intent(number, at: now).purpose,
                    code: "network", terms: nil, salt: .numbered(number + 9)), at: now)
        }
        let intent = intent(number, at: now)
        guard case .reserved = try await ledger.reserve(intent, at: now) else { return }
        let signature = try signature(over: intent.terms)
        let book = { (event: PaymentEvent, seconds: Int64, evidence: PaymentEvidence) async throws -> Void in
            var signed = evidence
            signed.signature = signature
            _ = try await ledger.book(event, of: intent.id, evidence: signed, at: now.adding(seconds: seconds))
        }
        let served = PaymentEvidence(
            status: 200, settlement: Array(#"{"success":true}"#.utf8), transaction: "0x\(number)")
        switch number % 12 {
        case 0, 1: try await book(.settled, 1, served)
        case 2:
            try await book(.settled, 1, served)
            let part = intent.terms.amount.quotientAndRemainder(dividingBy: number % 5 + 1)
            let moved = part?.quotient ?? .zero
            if !moved.isZero {
                _ = try await ledger.show(
                    moved, of: intent.id, evidence: PaymentEvidence(transaction: "0xcd"), at: now.adding(seconds: 9))
            }
        case 3: try await book(.servedUnproven, 2, PaymentEvidence(status: 200))
        case 4: try await book(.rejected, 1, PaymentEvidence(status: 402, reason: "=cmd|' /C calc'!A0, \"x\""))
        case 5: try await book(.lostSight, 30, PaymentEvidence(status: 504))
        case 6: _ = try await ledger.book(.neverSent, of: intent.id, evidence: PaymentEvidence(), at: now)
        case 7:
            try await book(.lostSight, 30, PaymentEvidence())
            try await book(.provenUsed, 400, PaymentEvidence(transaction: "0xabc"))
        case 8:
            try await book(.lostSight, 30, PaymentEvidence())
            try await book(.provenUnused, 401, PaymentEvidence())
        case 9:
            try await book(.servedUnproven, 2, PaymentEvidence(status: 200))
            // Two entries in one millisecond.
            try await book(.settled, 2, served)
        case 10: break
        default:
            try await book(.lostSight, 5, PaymentEvidence(reason: "reset"))
            try await adopt(intent, number, at: now.adding(seconds: 10))
            try await book(.settled, 12, served)
        }
    }

    private func adopt(_ intent: PaymentIntent, _ number: UInt64, at now: Timestamp) async throws {
        let again = PaymentIntent.sample(
            number + 10_000, agent: intent.purpose.agent, team: intent.purpose.team, gateway: intent.purpose.gateway,
            payer: wallet.checksummed, fingerprint: number &+ 1)
        _ = try await ledger.reserve(again, at: now)
    }
}

extension Timestamp {
    /// The time so many milliseconds later.
    func adding(milliseconds more: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds + more) }
}

extension Workload {
    /// Reads the books through whatever stands between.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any LedgerSnapshot) throws(LedgerError) -> Value
    ) async throws -> Value {
        try await ledger.read(body)
    }

    /// An export as text.
    func export(_ format: ExportFormat, of period: Period = .all) async throws -> String {
        let export = Export(format, of: period, assets: assets)
        return try await ledger.read { (snapshot) throws(LedgerError) in
            var bytes: [UInt8] = []
            try export.write(snapshot) { (piece) throws(LedgerError) in bytes += piece }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// Verifies the books, or what a doctored snapshot makes of them.
    func verify(
        wallets: Set<Address>? = nil, at now: Timestamp = Workload.end, doctored: Doctoring? = nil
    ) async throws -> VerificationReport {
        let verification = Verification(assets: assets, wallets: wallets, curve: curve)
        return try await ledger.read { (snapshot) throws(LedgerError) in
            guard let doctored else { return try verification.report(on: snapshot, at: now) }
            return try verification.report(on: DoctoredSnapshot(base: snapshot, doctoring: doctored), at: now)
        }
    }
}
