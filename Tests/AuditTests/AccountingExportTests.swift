import Ledger
import Policy
import Primitives
import TestSupport
import Testing
import X402

@testable import Audit

@Suite("Accounting exports")
struct AccountingExportTests {
    /// Two days with one of each kind of transfer.
    private static func small() async throws -> InMemoryLedger {
        let ledger = InMemoryLedger()
        try await ledger.add(
            .sample("my_agent", caps: [CapLimit(.day, .cents(100)), CapLimit(.day, .payments, UInt256(9))]))
        let wallet = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
        try await ledger.adjust(
            Adjustment(
                kind: .opening, wallet: wallet, asset: "eip155:42161/\(Workload.usdt)", amount: UInt256(5_000_000),
                note: "from \"cold\"; store\n2026-01-01 x"), by: "tester", at: .vectors)
        try await ledger.reserve(.sample(1, agent: "my_agent"), at: .vectors)
        let later = Timestamp.vectors.adding(seconds: 86_400)
        let id = PaymentIntent.sample(1, agent: "my_agent").id
        _ = try await ledger.book(.settled, of: id, evidence: PaymentEvidence(status: 200), at: later)
        _ = try await ledger.meter(
            MeteredCall(agent: "my_agent", team: nil, gateway: "Lab", host: "h"), at: later)
        return ledger
    }

    private static func export(_ format: ExportFormat, from: String? = nil, to: String? = nil) async throws -> String {
        let export = Export(format, of: try #require(Period(from: from, to: to)), assets: try .pinned())
        return try await small().read { (snapshot) throws(LedgerError) in
            var bytes: [UInt8] = []
            try export.write(snapshot) { (piece) throws(LedgerError) in bytes += piece }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    @Test("a Beancount journal, word for word")
    func beancount() async throws {
        let text = try await Self.export(.beancount)
        #expect(text == Golden.beancount)
    }

    @Test("a Beancount journal of one day begins with what was brought forward")
    func beancountDay() async throws {
        let text = try await Self.export(.beancount, from: "2026-11-23", to: "2026-11-24")
        #expect(text == Golden.beancountDay)
    }

    @Test("an hledger journal, word for word")
    func hledger() async throws {
        let text = try await Self.export(.hledger)
        #expect(text == Golden.hledger)
    }

    @Test("a period that ends before the books do asserts what stood at its end")
    func earlyEnd() async throws {
        let text = try await Self.export(.hledger, to: "2026-11-23")
        #expect(
            text.contains("    Assets:Exposed:My-5fagent  0 \"USDT-42161-FD086B\" = 0.010000 \"USDT-42161-FD086B\"\n"))
        #expect(!text.contains("Expenses:Spent"))
    }

    @Test(
        "texts become parts of account names, each its own",
        arguments: [
            ("scout", "Scout"), ("my_agent.v2", "My-5fagent-2ev2"), ("gpt-4", "Gpt--4"), ("0xAb", "0xAb"),
            ("Scout", "X-UScout"), ("_scout", "X-U-5fscout"), ("Lab 2", "X-ULab-202"), ("4", "4"), ("", "X-U"),
            ("ä", "X-U-c3-a4"), ("x-Uscout", "X--Uscout"), ("a\n", "A-0a"),
        ])
    func accountParts(text: String, part: String) {
        #expect(AccountNames.part(text) == part)
    }

    @Test("different texts never have the same part")
    func injective() {
        let random = SeededRandom(seed: 3)
        let alphabet = Array("aAxX-U_5f2dB0 ")
        var seen: [String: String] = [:]
        for _ in 0..<20_000 {
            let length = Int(random.word() % 6)
            let text = String((0..<length).map { _ in alphabet[Int(random.word() % UInt64(alphabet.count))] })
            let part = AccountNames.part(text)
            #expect(seen[part] == nil || seen[part] == text)
            #expect(part.wholeMatch(of: /[A-Z0-9][A-Za-z0-9-]*/) != nil)
            seen[part] = text
        }
    }

    @Test("every pinned token has a commodity of its own, within Beancount's rule")
    func commodities() throws {
        let assets = try AssetTable.pinned().assets
        let names = assets.map {
            Commodity(asset: "\($0.network)/\($0.addressText)", symbol: $0.symbol, decimals: $0.decimals).name
        }
        #expect(Set(names).count == assets.count)
        for name in names { #expect(name.wholeMatch(of: /[A-Z][A-Z0-9-]{0,22}[A-Z0-9]/) != nil, "\(name)") }
    }

    @Test(
        "odd assets have commodities too",
        arguments: [
            ("eip155:42161/0x1111111111111111111111111111111111111111", "dai+", "DAI-42161-111111"),
            ("eip155:18446744073709551615/0x1111111111111111111111111111111111111111", "USDT", nil),
            ("eip155:1/0x1111111111111111111111111111111111111111", "₮", "T-1-111111"),
            ("eip155:1/0x1111111111111111111111111111111111111111", "1INCHTOKEN", "T1INCHT-1-111111"),
            ("nonsense", "USDT", nil),
        ] as [(String, String, String?)])
    func oddCommodities(asset: String, symbol: String, expected: String?) {
        let name = Commodity(asset: asset, symbol: symbol, decimals: 6).name
        #expect(name.wholeMatch(of: /[A-Z][A-Z0-9-]{0,22}[A-Z0-9]/) != nil, "\(name)")
        if let expected { #expect(name == expected) }
    }

    @Test("amounts have all of their decimals")
    func amounts() {
        #expect(SignedAmount(debits: UInt256(10_000), credits: .zero).text(decimals: 6) == "0.010000")
        #expect(SignedAmount(debits: .zero, credits: UInt256(12_345_678)).text(decimals: 6) == "-12.345678")
        #expect(SignedAmount(debits: UInt256(3), credits: UInt256(3)).text(decimals: 0) == "0")
    }
}
