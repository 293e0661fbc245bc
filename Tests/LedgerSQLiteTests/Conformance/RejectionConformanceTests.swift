import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

/// Agents that pay at gateways, with the outcome of each payment known at once.
private struct Shop {
    let store: any LedgerStore
    private var used: UInt64 = 0

    init(_ store: any LedgerStore) {
        self.store = store
    }

    /// One payment of an agent on a path; nil where it is refused.
    @discardableResult
    mutating func pay(
        _ path: String = "/v1/images", by agent: String = "scout", at second: Int64, _ event: PaymentEvent?,
        gateway: String = "lab", value: Dollars = .cents(1), limit: Int64 = 3, payTo: String = "0x01",
        asset: String = "0xAA", evidence: PaymentEvidence = PaymentEvidence()
    ) async throws -> ReservationRefusal? {
        used += 1
        let intent = PaymentIntent.sample(
            used, agent: agent, gateway: gateway, value: value, payTo: payTo, validFor: second + 300, path: path,
            asset: asset)
        let now = Timestamp.vectors.adding(seconds: second)
        let outcome = try await store.reserve(
            ReservationRequest(intent, rules: ReservationRules(stopAfterRejections: limit)), at: now)
        if let event, outcome.record != nil {
            _ = try await store.book(event, of: intent.id, evidence: evidence, at: now)
        }
        return outcome.refusal
    }

    /// What a refusal says is paused.
    mutating func paused(
        _ path: String = "/v1/images", by agent: String = "scout", at second: Int64
    ) async throws -> String? {
        guard case .gatewayRejecting(let pause) = try await pay(path, by: agent, at: second, .settled) else {
            return nil
        }
        return pause.scope.word
    }
}

@Suite("Rejections")
struct RejectionConformanceTests {
    private static func shop(_ kind: StoreKind, caps: [String] = ["day=5"]) async throws -> (StoreUnderTest, Shop) {
        let subject = try StoreUnderTest(kind)
        for (number, name) in ["scout", "ada", "bob", "cyd"].enumerated() {
            try await subject.store.add(
                .sample(name, number: UInt64(number + 1), caps: caps.compactMap { CapLimit($0) }))
        }
        return (subject, Shop(subject.store))
    }

    @Test(
        "three rejections in a row pause a route for an agent; a probe goes through a minute later, then less often",
        arguments: StoreKind.allCases)
    func route(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        for second: Int64 in 0..<3 { #expect(try await shop.pay(at: second, .rejected) == nil) }
        guard case .gatewayRejecting(let pause) = try await shop.pay(at: 10, nil) else {
            Issue.record("not refused")
            return
        }
        #expect(pause.until == .vectors.adding(seconds: 62) && !pause.saysUnfunded)
        guard case .route(let route, 3) = pause.scope else {
            Issue.record("not the route")
            return
        }
        #expect(route.name == "POST /v1/images" && route.asset.hasSuffix("/0xAA"))
        #expect(try await shop.paused(at: 61) == "route")
        #expect(try await shop.pay(at: 62, .rejected) == nil, "the first probe")
        #expect(try await shop.paused(at: 62 + 119) == "route")
        #expect(try await shop.pay(at: 62 + 120, .rejected) == nil, "the second probe")
        // Other routes, tokens, gateways and agents go on, and what they buy does not end the pause.
        #expect(try await shop.pay("/v1/chat", at: 183, .settled) == nil)
        #expect(try await shop.pay(at: 183, .settled, asset: "0xBB") == nil)
        #expect(try await shop.pay(at: 183, .settled, gateway: "other") == nil)
        #expect(try await shop.pay(by: "ada", at: 183, .settled) == nil)
        #expect(try await shop.paused(at: 184) == "route")
        #expect(try await shop.pay(at: 422, .settled) == nil, "the third probe ends it")
        #expect(try await shop.pay(at: 423, .rejected) == nil)
        #expect(try await shop.pay(at: 424, .settled) == nil)
    }

    @Test(
        "rejections on three routes pause the agent at the gateway, whatever path or payee comes next",
        arguments: StoreKind.allCases)
    func agent(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        try await shop.pay("/1", at: 0, .rejected)
        try await shop.pay("/2", at: 1, .rejected)
        #expect(try await shop.pay("/good", at: 2, .settled) == nil)
        try await shop.pay("/2", at: 3, .rejected)
        try await shop.pay("/3", at: 4, .rejected)
        #expect(try await shop.pay("/good", at: 5, nil) == nil, "one was accepted between them")
        try await shop.pay("/4", at: 6, .rejected)
        #expect(try await shop.paused("/good", at: 7) == "agent")
        guard case .gatewayRejecting(let pause) = try await shop.pay("/5", at: 8, nil, payTo: "0x77", asset: "0xBB")
        else {
            Issue.record("not refused")
            return
        }
        #expect(pause.scope == .agent(.routes) && pause.until == .vectors.adding(seconds: 66))
        #expect(try await shop.pay("/good", by: "ada", at: 9, .settled) == nil)
        #expect(try await shop.pay("/6", at: 66, .rejected) == nil, "the probe")
        #expect(try await shop.paused("/7", at: 66 + 119) == "agent")
        #expect(try await shop.pay("/good", at: 66 + 120, .settled) == nil, "the probe that ends it")
        #expect(try await shop.pay("/8", at: 66 + 121, .settled) == nil)
    }

    @Test(
        "rejected exposure above a tenth of the tightest cap over time pauses the agent, and nothing else counts",
        arguments: StoreKind.allCases)
    func exposure(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(
            kind, caps: ["request=0.10", "hour=10payments", "lifetime=0.90", "day=1", "month=9"])
        defer { subject.outlive() }
        try await shop.pay("/1", at: 0, .rejected, value: .cents(6))
        #expect(try await shop.pay("/1", at: 1, .settled) == nil)
        try await shop.pay("/2", at: 2, .rejected, value: .cents(4))
        #expect(try await shop.pay("/1", at: 3, .settled) == nil, "a tenth is not more than a tenth")
        try await shop.pay("/3", at: 4, .rejected)
        guard case .gatewayRejecting(let pause) = try await shop.pay("/1", at: 5, nil) else {
            Issue.record("not refused")
            return
        }
        #expect(pause.scope == .agent(.exposure))
        // What is exposed ends with the payments, not with an accepted one.
        #expect(try await shop.pay("/1", at: 64, .settled) == nil)
        try await shop.pay("/4", at: 65, .rejected)
        #expect(try await shop.paused("/1", at: 66) == "agent")
        #expect(try await shop.pay("/1", at: 125, .settled) == nil)
        #expect(try await subject.store.closeOverdue(OverduePolicy(), at: .vectors.adding(seconds: 900)).value == 4)
        #expect(try await subject.store.rejected["lab"]?.agents["scout"]?.exposed == .zero)
    }

    @Test("the caps of the team and of the house are the agent's too", arguments: StoreKind.allCases)
    func wideCaps(kind: StoreKind) async throws {
        for scope in [CapScope(.house), CapScope(.team("crew")), CapScope(.house, facet: .gateway("lab"))] {
            let subject = try StoreUnderTest(kind)
            defer { subject.outlive() }
            try await subject.store.add(.sample(team: "crew", caps: [CapLimit(.day, .cents(500))]))
            try await subject.store.setCap(Cap(scope, CapLimit(.hour, .cents(15))), by: "op", at: .vectors)
            var shop = Shop(subject.store)
            try await shop.pay("/1", at: 0, .rejected, value: .cents(1))
            #expect(try await shop.paused("/2", at: 1) == nil)
            try await shop.pay("/1", at: 2, .rejected, value: .cents(1))
            #expect(try await shop.paused("/2", at: 3) == "agent", "\(scope)")
        }
    }

    @Test(
        "two paused agents pause the gateway for everybody, unless a third's payment was accepted since the first of them",
        arguments: StoreKind.allCases)
    func gateway(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        func pause(_ agent: String, at second: Int64) async throws {
            for path in ["/1", "/2", "/3"] { try await shop.pay(path, by: agent, at: second, .rejected) }
        }
        try await pause("ada", at: 0)
        #expect(try await shop.pay(by: "cyd", at: 1, .settled) == nil)
        try await pause("bob", at: 2)
        #expect(try await shop.pay(by: "cyd", at: 3, .settled) == nil, "cyd was accepted since ada was paused")
        #expect(try await shop.paused(by: "ada", at: 3) == "agent")
        #expect(try await shop.paused(by: "bob", at: 3) == "agent")
        // Another gateway, where nobody is accepted.
        for agent in ["ada", "bob"] {
            for path in ["/1", "/2", "/3"] {
                try await shop.pay(path, by: agent, at: 10, .rejected, gateway: "other")
            }
        }
        guard case .gatewayRejecting(let pause) = try await shop.pay(by: "cyd", at: 11, nil, gateway: "other") else {
            Issue.record("not refused")
            return
        }
        #expect(pause.scope == .gateway && pause.until == .vectors.adding(seconds: 70))
        #expect(try await shop.pay(by: "cyd", at: 11, .settled) == nil, "the other gateway")
        // Probes of the gateway are its own, and those of its agents theirs.
        #expect(try await shop.pay(by: "cyd", at: 70, .rejected, gateway: "other") == nil)
        #expect(try await shop.pay("/1", by: "ada", at: 71, .rejected, gateway: "other") == nil)
        #expect(try await shop.pay(by: "scout", at: 70 + 119, .settled, gateway: "other") != nil)
        #expect(try await shop.pay(by: "scout", at: 70 + 120, .settled, gateway: "other") == nil)
        #expect(try await shop.pay(by: "cyd", at: 190, .settled, gateway: "other") == nil, "open again")
        #expect(try await shop.pay(by: "ada", at: 190, .settled, gateway: "other") != nil, "not for ada")
    }

    /// What is done at the gateway in turn: an agent that rejections pause, or one whose payment is accepted.
    enum Step: Sendable {
        case pauses(String)
        case accepts(String)
    }

    @Test(
        "an accepted payment of one of the two paused agents is not a third's, and only a third's lifts the pause for all",
        arguments: StoreKind.allCases,
        [
            ([.pauses("ada"), .accepts("bob"), .pauses("bob")], true),
            ([.pauses("ada"), .accepts("cyd"), .pauses("bob")], false),
            ([.pauses("ada"), .accepts("bob"), .accepts("bob"), .pauses("bob")], true),
            ([.pauses("ada"), .accepts("bob"), .accepts("cyd"), .pauses("bob")], false),
            ([.pauses("ada"), .accepts("cyd"), .pauses("bob"), .pauses("cyd")], true),
            ([.pauses("ada"), .accepts("bob"), .accepts("cyd"), .pauses("bob"), .pauses("cyd")], true),
            ([.accepts("cyd"), .pauses("ada"), .pauses("bob")], true),
            ([.accepts("bob"), .pauses("ada")], false),
        ] as [([Step], Bool)])
    func third(kind: StoreKind, history: ([Step], Bool)) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        for (second, step) in history.0.enumerated() {
            switch step {
            case .accepts(let agent): #expect(try await shop.pay(by: agent, at: Int64(second), .settled) == nil)
            case .pauses(let agent):
                for path in ["/1", "/2", "/3"] { try await shop.pay(path, by: agent, at: Int64(second), .rejected) }
            }
        }
        // The scout is paused only where everybody is; its acceptance would lift the pause.
        #expect(try await shop.paused(by: "scout", at: 20) == (history.1 ? "gateway" : nil))
        let kept = try await subject.store.rejected["lab"]
        #expect((kept?.probes != nil) == history.1)
        if history.1 {
            #expect(try await shop.pay(by: "scout", at: 70, .settled) == nil, "the probe")
            #expect(try await shop.paused(by: "scout", at: 71) == nil, "the scout is a third")
        }
    }

    @Test("a gateway that never stops is never stopped", arguments: StoreKind.allCases)
    func unlimited(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        for agent in ["scout", "ada"] {
            for number in 1...10 {
                #expect(try await shop.pay("/\(number % 5)", by: agent, at: 0, .rejected, limit: 0) == nil)
            }
        }
        #expect(try await shop.pay(by: "bob", at: 0, .settled, limit: 0) == nil)
    }

    @Test("a limit of one pauses the route after one rejection, and no other", arguments: StoreKind.allCases)
    func strict(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        try await shop.pay("/1", at: 0, .rejected, limit: 1)
        #expect(try await shop.pay("/1", at: 1, nil, limit: 1) != nil)
        #expect(try await shop.pay("/2", at: 1, nil, limit: 1) == nil)
    }

    @Test(
        "an agent that is removed and added again, or that changes its team, is as paused as before",
        arguments: StoreKind.allCases)
    func removed(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        for path in ["/1", "/2", "/3"] { try await shop.pay(path, at: 0, .rejected) }
        try await subject.store.setTeam("crew", of: "scout", by: "op", at: .vectors)
        #expect(try await shop.paused(at: 1) == "agent")
        try await subject.store.removeAgent("scout", by: "op", at: .vectors)
        try await subject.store.add(.sample("scout", number: 1, caps: [CapLimit(.day, .cents(500))]))
        #expect(try await shop.paused(at: 2) == "agent")
    }

    @Test(
        "what is voided, in doubt or served without a receipt is no rejection; served is accepted",
        arguments: StoreKind.allCases, [PaymentEvent.neverSent, .lostSight, .servedUnproven])
    func others(kind: StoreKind, event: PaymentEvent) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        for number in 1...6 { #expect(try await shop.pay("/\(number)", at: 0, event) == nil) }
        for _ in 1...6 { #expect(try await shop.pay("/1", at: 0, event) == nil) }
        for path in ["/1", "/2"] { try await shop.pay(path, at: 0, .rejected) }
        try await shop.pay("/4", at: 0, event)
        try await shop.pay("/3", at: 0, .rejected)
        #expect(try await shop.paused("/9", at: 1) == (event == .servedUnproven ? nil : "agent"))
    }

    @Test("an attempt that is taken over and rejected again counts again, and exposes its amount once")
    func adopted() async throws {
        for kind in StoreKind.allCases {
            let (subject, _) = try await Self.shop(kind)
            let store = subject.store
            let first = PaymentIntent.sample(1, fingerprint: 5)
            try await store.reserve(first)
            try await store.book(.rejected, of: first)
            for number: UInt64 in 2...3 {
                let outcome = try await store.reserve(.sample(number, fingerprint: 5), second: Int64(number))
                guard case .adopted = outcome else {
                    Issue.record("not taken over")
                    return
                }
                #expect(try await store.rejected["lab"]?.agents["scout"]?.exposed == .zero, "it is attended")
                try await store.book(.rejected, of: first, second: Int64(number))
            }
            let own = try await store.rejected["lab"]?.agents["scout"]
            #expect(own?.exposed == .cents(1) && own?.routes.values.map(\.count) == [3])
            // The bytes themselves may be sent again; nothing new is signed.
            guard case .adopted = try await store.reserve(.sample(4, fingerprint: 5), second: 5) else {
                Issue.record("not taken over")
                return
            }
            #expect(try await store.reserve(.sample(5), second: 5).refusalCode == "gateway-rejecting")
        }
    }

    @Test("a wallet without funds pays nothing new, and an earlier attempt may be sent again")
    func walletPause() async throws {
        for kind in StoreKind.allCases {
            let (subject, _) = try await Self.shop(kind)
            let store = subject.store
            try await store.reserve(.sample(1, fingerprint: 5))
            try await store.book(.rejected, of: .sample(1))
            let terms = PaymentIntent.sample(1).terms
            for (host, isEnough) in [("one", false), ("one", false), ("two", true)] {
                #expect(try await store.doubtFunds(of: terms, .claim(host: host), at: .vectors) == isEnough)
            }
            let pause = WalletPause(
                wallet: "main", account: terms.payer, network: "eip155:42161", symbol: "USDT",
                until: .vectors.adding(seconds: 60))
            #expect(try await store.reserve(.sample(2)).refusal == .walletUnfunded(pause))
            #expect(try await store.payment(PaymentIntent.sample(2).id)?.evidence.reason == "insufficient-funds")
            guard case .adopted = try await store.reserve(.sample(3, fingerprint: 5)) else {
                Issue.record("not taken over")
                return
            }
        }
    }

    @Test(
        "an agent tries one payment a minute from a wallet without funds; one not sent leaves its turn, and one accepted ends it",
        arguments: StoreKind.allCases)
    func walletProbes(kind: StoreKind) async throws {
        let (subject, _) = try await Self.shop(kind)
        defer { subject.outlive() }
        let store = subject.store
        try await store.add(.sample("other", number: 77, caps: [CapLimit(.day, .cents(500))]))
        func code(_ number: UInt64, _ second: Int64, value: Dollars = .cents(1)) async throws -> String? {
            try await store.reserve(.sample(number, value: value), second: second).refusalCode
        }
        let terms = PaymentIntent.sample(1).terms
        #expect(try await store.doubtFunds(of: terms, .balance(UInt256(9999)), at: .vectors))
        #expect(try await !store.doubtFunds(of: terms, .balance(UInt256(9999)), at: .vectors), "it is paused already")
        #expect(try await code(1, 59) == "insufficient-funds")
        #expect(
            try await store.reserve(.sample(2, amount: UInt256(9999)), second: 59).record != nil, "the wallet has it")
        try await store.book(.settled, of: .sample(2), second: 59)
        #expect(try await code(3, 60, value: .cents(900)) == "cap-day", "what the caps refuse is not tried")
        #expect(try await code(4, 60) == nil)
        #expect(try await code(5, 60) == "insufficient-funds")
        // Another agent has a try of its own, and one only.
        #expect(try await store.reserve(.sample(12, agent: "other"), second: 60).record != nil)
        #expect(
            try await store.reserve(.sample(13, agent: "other"), second: 60).refusalCode == "insufficient-funds")
        try await store.book(.neverSent, of: .sample(4), second: 61)
        #expect(try await code(6, 61) == nil)
        try await store.book(.rejected, of: .sample(6), second: 61)
        #expect(try await code(7, 120) == "insufficient-funds")
        let kept = try await store.read { (books) throws(LedgerError) in try books.unfundedWallets() }
        #expect(kept.standings[Purse(terms)]?.pause?.since == .vectors)
        #expect(kept.standings[Purse(terms)]?.pause?.nextTry(of: "scout") == .vectors.adding(seconds: 121))
        #expect(try await code(8, 121) == nil)
        try await store.book(.settled, of: .sample(8), second: 122)
        #expect(try await code(9, 122) == nil)
        let after = try await store.read { (books) throws(LedgerError) in try books.unfundedWallets() }
        #expect(after.isEmpty)
        // What a chain shows to be enough ends a pause too.
        _ = try await store.doubtFunds(of: terms, .balance(.zero), at: .vectors.adding(seconds: 123))
        #expect(try await code(10, 123) == "insufficient-funds")
        _ = try await store.doubtFunds(of: terms, .balance(terms.amount), at: .vectors.adding(seconds: 124))
        #expect(try await code(11, 124) == nil)
    }

    @Test("the reason that the wallet has too little is named as long as it is the last one")
    func unfunded() async throws {
        for kind in StoreKind.allCases {
            var (subject, shop) = try await Self.shop(kind)
            let poor = PaymentEvidence(reason: "invalid_exact_evm_insufficient_balance")
            for evidence in [PaymentEvidence(), poor, poor] {
                try await shop.pay("/1", at: 0, .rejected, evidence: evidence)
            }
            guard case .gatewayRejecting(let pause) = try await shop.pay("/1", at: 1, nil) else {
                Issue.record("not refused")
                return
            }
            #expect(pause.saysUnfunded)
            try await shop.pay("/1", at: 60, .rejected)
            guard case .gatewayRejecting(let later) = try await shop.pay("/1", at: 61, nil) else {
                Issue.record("not refused")
                return
            }
            #expect(!later.saysUnfunded)
            subject.outlive()
        }
    }

    @Test("erasing forgets the names of old routes and nothing of what is counted for the agent")
    func erased() async throws {
        for kind in StoreKind.allCases {
            var (subject, shop) = try await Self.shop(kind)
            try await shop.pay("/secret", at: 0, .rejected)
            try await shop.pay("/young", at: 100, .rejected)
            _ = try await subject.store.erase(
                before: .vectors.adding(seconds: 50), by: "op", at: .vectors.adding(seconds: 101))
            let own = try await subject.store.rejected["lab"]?.agents["scout"]
            #expect(own?.routes.keys.map(\.name) == ["POST /young"])
            #expect(own?.freshRoutes == 2 && own?.exposed == .cents(2))
            try await shop.pay("/third", at: 102, .rejected)
            #expect(try await shop.paused("/fourth", at: 103) == "agent")
            subject.outlive()
        }
    }

    // MARK: Figures

    @Test(
        "beside an agent whose route always rejects, called once a second, another agent is served 34 of 34",
        arguments: StoreKind.allCases)
    func neighbour(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        var (served, signed) = (0, 0)
        for second in Int64(0)..<300 {
            if try await shop.pay("/bad", by: "ada", at: second, .rejected) == nil { signed += 1 }
            guard second % 9 == 4 || second == 299 else { continue }
            if try await shop.pay("/good", by: "bob", at: second, .settled) == nil { served += 1 }
        }
        #expect(served == 34)
        #expect(signed <= 6)
    }

    @Test(
        "a seller that rejects under a thousand paths, payees and tokens gets at most nine authorizations in ten minutes",
        arguments: StoreKind.allCases)
    func manyPaths(kind: StoreKind) async throws {
        var (subject, shop) = try await Self.shop(kind)
        defer { subject.outlive() }
        var signed = 0
        for number in Int64(0)..<1000 {
            let refusal = try await shop.pay(
                "/\(number)", at: number * 600 / 1000, .rejected, value: .cents(1), payTo: "0x\(number)",
                asset: "0x\(number % 3)")
            if refusal == nil { signed += 1 }
        }
        #expect((4...9).contains(signed), "\(signed)")
    }

    @Test("however many paths a seller has, a bounded number is kept, and the agent's own count stays")
    func bounded() async throws {
        var (subject, shop) = try await Self.shop(.sqlite, caps: ["lifetime=1000000"])
        for number in 0..<100 {
            try await shop.pay("/\(number)", at: 0, .rejected, limit: 0)
            try await shop.pay("/good", at: 0, .settled, limit: 0)
        }
        let own = try await subject.store.rejected["lab"]?.agents["scout"]
        #expect(own?.routes.count == AgentRejections.maximumRoutes && own?.exposed == .cents(100))
        subject.outlive()
    }
}

extension LedgerStore {
    /// What gateways rejected, by name.
    fileprivate var rejected: [String: GatewayRejections] {
        get async throws(LedgerError) {
            try await read { (books) throws(LedgerError) in try books.rejections() }
        }
    }
}
