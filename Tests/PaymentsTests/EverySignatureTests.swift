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

/// A way that ends in a signature of a wallet's key.
enum SignaturePath: String, CaseIterable {
    case payment, learnedPrice, resumedAttempt, signIn, sponsoredApproval, approvalByHand, checkpoint

    /// Whether a freeze stops it: the ledger's days are closed under a freeze as ever, since that moves nothing.
    func isStopped(by scope: FreezeScope) -> Bool {
        switch self {
        case .checkpoint: false
        case .approvalByHand: scope == .everything || scope == .wallet("main")
        default: true
        }
    }

    /// What its entry is about.
    var kind: JournalLine.Kind {
        switch self {
        case .payment, .learnedPrice, .resumedAttempt: .payment
        case .signIn: .signIn
        case .sponsoredApproval, .approvalByHand: .approval
        case .checkpoint: .checkpoint
        }
    }
}

/// A desk on which everything has happened that a path needs before its signature.
private struct Scene {
    let path: SignaturePath
    let desk: Desk
    /// What stands in the journal at each signature.
    let seen: Seen
    private let store: WatchedStore
    /// Freezes the wallet between the entry and the signature once it is on.
    let freezes = Switch()
    /// Removes the agent there.
    let removes = Switch()

    final class Seen: Sendable {
        let entries = Mutex<[[JournalEntry]]>([])
        /// The journal as it was when the books answered last.
        let latest = Mutex<[JournalEntry]>([])
    }

    static func journal(_ books: InMemoryLedger) async throws -> [JournalEntry] {
        try await books.read { (books) throws(LedgerError) in try books.entries(from: 1, limit: 10_000) }
    }

    init(_ path: SignaturePath, policy: PolicySnapshot? = nil) async throws {
        self.path = path
        let books = InMemoryLedger()
        let seen = Seen()
        self.seen = seen
        let (freezes, removes) = (freezes, removes)
        store = WatchedStore(
            books,
            onReserved: {
                let entries = try? await Self.journal(books)
                seen.latest.withLock { $0 = entries ?? [] }
                if removes.isOn { try? await books.removeAgent("scout", by: "op", at: .vectors) }
                guard freezes.isOn else { return }
                _ = try? await books.freeze(
                    Freeze(scope: .wallet("main"), since: .vectors, actor: "op", reason: nil))
            })
        let signer = try CountingSigner {
            let latest = seen.latest.withLock { $0 }
            seen.entries.withLock { $0.append(latest) }
        }
        desk = try await Desk(
            books: books, store: store, signer: signer, rules: ["eip155:42161/USDT", "eip155:137/USDT"],
            allowances: ["eip155:137": Chain()], policy: policy)
        try await prepare()
    }

    /// What the gateway's entry says on this path.
    var gatewayPolicy: GatewayPolicy {
        var policy = GatewayPolicy()
        policy.signsIn = path == .signIn
        return policy
    }

    private func prepare() async throws {
        switch path {
        case .payment, .sponsoredApproval, .approvalByHand: break
        case .checkpoint: _ = try await desk.paid()
        case .resumedAttempt:
            await desk.book(.silence(reason: "no answer"), of: try await desk.paid())
        case .learnedPrice, .signIn:
            for number in 1...UInt64(3) {
                let payment = try await desk.paid(for: desk.request(number: number))
                let report = SettlementReport.read(
                    header: Array(#"{"success":true,"transaction":"0x1","network":"eip155:42161"}"#.utf8))
                await desk.book(.response(status: 200, report: report), of: payment)
            }
        }
        seen.entries.withLock { $0 = [] }
    }

    /// Goes the path to its end; true when something was signed.
    func run() async throws -> Bool {
        let before = desk.signer.signatures
        switch path {
        case .payment, .resumedAttempt: _ = await desk.answer()
        case .learnedPrice:
            if let payment = await desk.engine.attachment(to: desk.request(number: 7)) {
                desk.engine.decisionIsTaken(of: payment)
            }
        case .signIn:
            let request = desk.request(number: 7, policy: gatewayPolicy, maySignIn: true)
            let answer = await desk.answer(signInChallenge(), for: request)
            if case .pay = answer { Issue.record("it was paid") }
        case .sponsoredApproval: _ = await desk.answer(SponsoringTests.challenge())
        case .approvalByHand:
            let signing = ApprovalSigning(
                signer: desk.signer, of: "main", books: store, actor: "op", clock: desk.clock)
            do {
                _ = try await signing.sign(Self.approval())
            } catch is ApprovalStopped {}
        case .checkpoint:
            let closing = LedgerClosing(store: store, signer: desk.signer, logger: desk.log.logger)
            return await closing.closeDay(at: .vectors.adding(seconds: 86_400)) != nil
        }
        return desk.signer.signatures > before
    }

    private static func approval() throws -> ApprovalTransaction {
        let address = try #require(Address(hex: "0x55d398326f99059fF775485246999027B3197955"))
        let token = try #require(try AssetTable.pinned().asset(network: "eip155:56", address: address))
        return try ApprovalTransaction(
            token: token, spender: Permit2.address, amount: UInt256(5), allowed: [], nonce: 7,
            fee: .legacy(price: UInt256(1)), gas: 60_000, costLimit: .max)
    }

    var journal: [JournalEntry] { get async throws { try await Self.journal(desk.books) } }
}

@Suite("Every path that ends in a signature")
struct EverySignatureTests {
    static let scopes: [FreezeScope] = [.everything, .wallet("main"), .agent("scout"), .gateway("lab")]

    @Test("each signature has its entry, on record before it is made", arguments: SignaturePath.allCases)
    func entries(path: SignaturePath) async throws {
        let scene = try await Scene(path)
        let before = try await scene.journal.count
        #expect(try await scene.run())
        let new = try await scene.journal.dropFirst(before)
        #expect(new.contains { $0.line.kind == path.kind })
        let seen = scene.seen.entries.withLock { $0 }
        // A checkpoint can only be booked with its signature; it is a statement about the books and moves nothing.
        guard path != .checkpoint else { return #expect(seen.isEmpty) }
        #expect(!seen.isEmpty)
        for entries in seen { #expect(entries.dropFirst(before).contains { $0.line.kind == path.kind }) }
    }

    @Test(
        "frozen means that nothing is signed for agents, nor by hand from what is frozen, and days are closed",
        arguments: SignaturePath.allCases, scopes)
    func frozen(path: SignaturePath, scope: FreezeScope) async throws {
        let scene = try await Scene(path)
        #expect(
            try await scene.desk.books.freeze(Freeze(scope: scope, since: .vectors, actor: "op", reason: nil)))
        let before = try await scene.journal.count
        #expect(try await scene.run() == !path.isStopped(by: scope))
        // A refusal is an entry as well.
        #expect(try await scene.journal.count > before)
    }

    @Test(
        "a freeze between the entry and the signature stops the signature",
        arguments: SignaturePath.allCases.filter { $0 != .checkpoint })
    func frozenMeanwhile(path: SignaturePath) async throws {
        let scene = try await Scene(path)
        scene.freezes.turnOn()
        #expect(try await !scene.run())
    }

    @Test(
        "what a policy refuses or asks about is not signed for an agent in any way",
        arguments: [SignaturePath.payment, .learnedPrice, .resumedAttempt, .signIn, .sponsoredApproval],
        [PolicyOutcome.refuse, .ask])
    func policy(path: SignaturePath, outcome: PolicyOutcome) async throws {
        let scene = try await Scene(path)
        let policy = PolicySnapshot(rules: PolicyRules([], standard: outcome), hash: .numbered(6))
        scene.desk.engine.replace(policy: policy, gateways: .lab(scene.gatewayPolicy))
        let before = try await scene.desk.rows.count
        #expect(try await !scene.run())
        let row = try await scene.desk.rows.first
        // A price that is not in force any more leaves nothing: its request is asked, and decided then.
        guard path != .learnedPrice else { return }
        #expect(try await scene.desk.rows.count > before || row?.state == .inDoubt)
    }

    @Test(
        "without a cap on money nothing is signed for an agent",
        arguments: [SignaturePath.payment, .learnedPrice, .signIn, .sponsoredApproval])
    func uncapped(path: SignaturePath) async throws {
        let scene = try await Scene(path)
        #expect(try await scene.desk.books.removeCap(.day, of: "scout"))
        #expect(try await !scene.run())
        #expect(try await scene.desk.rows.first?.evidence.reason == "no-cap")
    }

    @Test(
        "for an agent that was removed between the entry and the signature nothing is signed",
        arguments: [SignaturePath.payment, .learnedPrice, .resumedAttempt, .signIn, .sponsoredApproval])
    func removed(path: SignaturePath) async throws {
        let scene = try await Scene(path)
        scene.removes.turnOn()
        #expect(try await !scene.run())
        #expect(try await scene.desk.books.rulebook().agents.isEmpty)
    }
}
