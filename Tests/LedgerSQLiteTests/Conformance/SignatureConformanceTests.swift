import Ledger
import Primitives
import TestSupport
import Testing

@Suite("Every store decides alike about signatures that move no money by themselves")
struct SignatureConformanceTests {
    private static let note = ApprovalNote(
        wallet: "main", owner: "0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1", asset: "eip155:56/0x55d3",
        spender: "0x0000",
        amount: .max, form: .transaction, nonce: UInt256(7))

    /// Scout's sign-in in place of the sample payment.
    private static func signIn(limit: Int = 2, gateway: String = "lab", agent: String = "scout") -> SignInIntent {
        let sample = PaymentIntent.sample(1, agent: agent, gateway: gateway)
        return SignInIntent(
            purpose: sample.purpose, terms: sample.terms, origin: "https://x", digest: .numbered(4), limit: limit)
    }

    private func journal(_ store: any LedgerStore, _ kind: JournalLine.Kind) async throws -> [JournalEntry] {
        try await store.read { (books) throws(LedgerError) in
            try books.entries(from: 1, limit: 1000).filter { $0.line.kind == kind }
        }
    }

    private func isAdmitted(_ outcome: SignatureOutcome) -> Bool {
        if case .admitted = outcome { true } else { false }
    }

    @Test(
        "a sign-in is refused under a freeze", arguments: StoreKind.allCases,
        [FreezeScope.everything, .agent("scout"), .gateway("lab"), .wallet("main")])
    func frozen(kind: StoreKind, scope: FreezeScope) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let freeze = Freeze(scope: scope, since: .vectors, actor: "ann", reason: nil)
        #expect(try await subject.store.freeze(freeze))
        #expect(try await subject.store.admit(Self.signIn(), at: .vectors) == .refused(.frozen(freeze)))
        #expect(try await journal(subject.store, .signIn).isEmpty)
    }

    @Test("a sign-in needs an agent with a cap on money, and a clock", arguments: StoreKind.allCases)
    func needs(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=9payments")
        let store = subject.store
        #expect(try await store.admit(Self.signIn(), at: .vectors) == .refused(.noCap))
        #expect(try await store.admit(Self.signIn(agent: "gone"), at: .vectors) == .refused(.unknownAgent))
        try await store.setCap(CapLimit(.day, .cents(1)), of: "scout")
        let behind = Timestamp.vectors.adding(seconds: -61)
        #expect(try await store.admit(Self.signIn(), at: behind) == .refused(.clockBehind(seconds: 61)))
        #expect(try await isAdmitted(store.admit(Self.signIn(), at: .vectors)))
    }

    @Test("an agent signs in so often within an hour at one gateway, to the second", arguments: StoreKind.allCases)
    func limit(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        func admit(_ second: Int64, gateway: String = "lab") async throws -> Bool {
            let outcome = try await store.admit(Self.signIn(gateway: gateway), at: .vectors.adding(seconds: second))
            if case .usedUp(let limit) = outcome { #expect(limit == 2) }
            return isAdmitted(outcome)
        }
        #expect(try await admit(0))
        #expect(try await admit(10))
        // What was not signed after all counts too.
        try await store.withhold(Self.signIn(), reason: "frozen", at: .vectors.adding(seconds: 11))
        #expect(try await !admit(3599))
        #expect(try await admit(3599, gateway: "other"))
        #expect(try await admit(3600))
        #expect(try await !admit(3601))
        #expect(try await admit(3610))
        let entries = try await journal(store, .signIn)
        #expect(
            entries.filter { $0.line.subject == "scout at lab" }.map(\.line.cause)
                == ["admitted", "admitted", "withheld", "admitted", "admitted"])
        let detail = try JSONReader.read(Array(#require(entries.first?.line.detail).utf8))
        #expect(detail["wallet"]?.string == "main" && detail["origin"]?.string == "https://x")
        #expect(detail["digest"]?.string == Bytes32.numbered(4).description)
    }

    @Test("32 at once get exactly the limit", arguments: StoreKind.allCases)
    func parallel(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        let count = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    if case .admitted = try await store.admit(Self.signIn(limit: 10), at: .vectors) {
                        true
                    } else {
                        false
                    }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(count == 10)
        subject.outlive()
    }

    @Test(
        "an approval by hand is refused while its wallet or everything is frozen, and either leaves an entry",
        arguments: StoreKind.allCases,
        [FreezeScope.everything, .wallet("main"), .wallet("other"), .agent("scout"), .gateway("lab")])
    func approval(kind: StoreKind, scope: FreezeScope) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        let freeze = Freeze(scope: scope, since: .vectors, actor: "ann", reason: nil)
        #expect(try await store.freeze(freeze))
        let isStopped = scope == .everything || scope == .wallet("main")
        let outcome = try await store.admit(Self.note, by: "ann", at: .vectors)
        #expect(isStopped ? outcome == .refused(.frozen(freeze)) : isAdmitted(outcome))
        if !isStopped { try await store.sent(Self.note, as: .numbered(1), by: "ann", at: .vectors) }
        #expect(
            try await journal(store, .approval).map(\.line.cause) == (isStopped ? ["refused"] : ["admitted", "sent"]))
    }

    @Test("an approval that goes with a payment has an entry of its own, and none where nothing is set aside")
    func sponsored() async throws {
        for kind in StoreKind.allCases {
            let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
            let store = subject.store
            let request = ReservationRequest(.sample(1), approval: Self.note)
            #expect(try await store.reserve(request, at: .vectors).record != nil)
            let freeze = Freeze(scope: .everything, since: .vectors, actor: "ann", reason: nil)
            #expect(try await store.freeze(freeze))
            #expect(
                try await store.reserve(ReservationRequest(.sample(2), approval: Self.note), at: .vectors).record == nil
            )
            let entries = try await journal(store, .approval)
            #expect(entries.map(\.line.cause) == ["sponsored"])
            let detail = try JSONReader.read(Array(#require(entries.first?.line.detail).utf8))
            #expect(detail["payment"]?.string == PaymentIntent.sample(1).id.description)
        }
    }

    @Test("a wallet's account is known from its entries, or else from its payments", arguments: StoreKind.allCases)
    func accounts(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        func open(_ wallet: String, _ address: String, _ accepted: String...) async throws -> WalletAccount.Opening {
            try await store.open(
                WalletAccount(wallet: wallet, address: address), accepting: Set(accepted), by: "ann", at: .vectors)
        }
        let payer = PaymentIntent.sample(1).terms.payer
        try await store.reserve(.sample(1))
        // Books of version 0.1.0 know a payer and no entry.
        #expect(try await open("main", "0xB") == .refused(known: payer))
        #expect(try await open("main", payer) == .known)
        #expect(try await open("main", "0xB", "0xC") == .refused(known: payer))
        #expect(try await open("main", "0xB", "0xC", "0xB") == .accepted(before: payer))
        #expect(try await open("main", "0xB") == .known)
        #expect(try await open("main", payer) == .refused(known: "0xB"))
        #expect(try await open("spare", "0xD") == .first)
        #expect(try await open("spare", "0xE") == .refused(known: "0xD"))
        #expect(try await open("spare", "0xD") == .known)
        let entries = try await journal(store, .wallet)
        #expect(entries.map(\.line.subject) == ["main", "spare"])
        #expect(entries.map(\.line.cause) == ["accepted", "opened"])
    }

    @Test("going from a policy to none has to be meant", arguments: StoreKind.allCases)
    func policies(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        func put(_ number: UInt64?, _ allowsNone: Bool = false) async throws -> PolicyInForce.Change {
            try await store.putInForce(
                number.map { .numbered($0) }, allowsNone: allowsNone, by: "ann", at: .vectors)
        }
        #expect(try await put(nil) == .unchanged)
        #expect(try await put(1) == .changed)
        #expect(try await put(1) == .unchanged)
        #expect(try await put(nil) == .refused(last: .numbered(1)))
        #expect(try await put(2) == .changed)
        // Payments that were decided without one say nothing against the newest entry.
        try await store.reserve(.sample(1))
        #expect(try await put(nil) == .refused(last: .numbered(2)))
        #expect(try await put(nil, true) == .changed)
        #expect(try await put(nil) == .unchanged)
        #expect(try await put(2) == .changed)
        let hash = Bytes32.numbered(2).description
        #expect(
            try await journal(store, .policy).map(\.line.subject)
                == [Bytes32.numbered(1).description, hash, "none", hash])
    }

    @Test("books without such entries know the newest payment's policy", arguments: StoreKind.allCases)
    func olderBooks(kind: StoreKind) async throws {
        let subject = try await StoreUnderTest.withScout(kind, caps: "day=5")
        let store = subject.store
        func paid(_ number: UInt64, by policy: Bytes32?) async throws {
            try await store.reserve(.sample(number, policy: policy))
        }
        try await paid(1, by: .numbered(8))
        #expect(
            try await store.putInForce(nil, allowsNone: false, by: "ann", at: .vectors) == .refused(last: .numbered(8)))
        // It was put away before the books kept entries about policies.
        try await paid(2, by: nil)
        #expect(try await store.putInForce(nil, allowsNone: false, by: "ann", at: .vectors) == .unchanged)
    }
}
