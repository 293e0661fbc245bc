import Ethereum
import Policy
import Primitives
import TestSupport
import Testing
import X402

@Suite("Vetting")
struct VettingTests {
    private let vetting: Vetting

    init() throws {
        vetting = try PolicyTests.vetting()
    }

    struct Crafted: Sendable, CustomTestStringConvertible {
        let code: RefusalCode
        let key: String
        let json: String

        var testDescription: String { "reject- \(code.rawValue): \(key) is \(json.prefix(90))" }
    }

    private static func crafted(_ code: RefusalCode, _ key: String, _ values: [String]) -> [Crafted] {
        values.map { Crafted(code: code, key: key, json: $0) }
    }

    private static func texts(_ code: RefusalCode, _ key: String, _ values: [String]) -> [Crafted] {
        crafted(code, key, values.map { "\"" + $0 + "\"" })
    }

    private static func extras(_ code: RefusalCode, _ members: [String]) -> [Crafted] {
        crafted(code, "extra", members.map { "{" + $0 + "}" })
    }

    static let crafted: [Crafted] = [
        texts(.scheme, "scheme", ["Exact", "EXACT", "upto", "exact ", "exact_gasfree", "batch-settlement"]),
        texts(
            .network, "network",
            ["eip155:999999", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp", "Arbitrum", "eip155:42161 "]),
        extras(
            .flow,
            [
                #""paymentFlow":"later""#, #""paymentFlow":"""#, #""paymentFlow":"Authorization""#,
                #""paymentFlow":"authorization ""#, #""paymentFlow":7"#, #""paymentFlow":true"#, #""paymentFlow":{}"#,
                #""paymentFlow":["authorization"]"#,
            ]),
        texts(
            .asset, "asset",
            [
                baseUSDC, String(arbitrumUSDT.dropFirst(2)), arbitrumUSDT + "0", "0x", "USDT",
                "0X" + arbitrumUSDT.dropFirst(2),
            ]),
        extras(
            .transferMethod,
            [
                #""assetTransferMethod":"permit2""#, #""assetTransferMethod":"erc7710""#, #""assetTransferMethod":"""#,
                #""assetTransferMethod":"EIP3009""#, #""assetTransferMethod":{}"#,
            ]),
        extras(
            .domain,
            [
                #""name":"USDT0","version":"1""#, #""name":"USD\u20ae0 ""#, #""name":"USD₮""#, #""name":"Tether USD""#,
                #""name":"usd₮0""#, #""version":"2""#, #""version":"01""#, #""name":"""#, #""name":7"#, #""version":1"#,
                #""verifyingContract":"0x0077777d7EBA4688BDeF3E311b846F25870A19B9""#, #""verifyingContract":"""#,
                #""verifyingContract":[]"#, #""name":"GatewayWalletBatched","version":"1""#,
            ]),
        texts(
            .payee, "payTo",
            [
                "0x0000000000000000000000000000000000000000", payer, payer.lowercased(), arbitrumUSDT,
                arbitrumUSDT.lowercased(), "0x5050", "seller.eth", seller + "00", String(seller.dropFirst(2)),
            ]),
        texts(
            .amount, "amount",
            [
                "9223372036854776", "115792089237316195423570985008687907853269984665640564039457584007913129639935",
            ]),
        crafted(.window, "maxTimeoutSeconds", ["1", "9"]),
    ].flatMap { $0 }

    @Test("one thing wrong is refused by its own code", arguments: crafted)
    func refused(crafted: Crafted) throws {
        let challenge = try challenge(Entry().with(crafted.key, crafted.json))
        #expect(vetting.refusal(challenge) == crafted.code)
    }

    @Test("every code is reached by some challenge")
    func allCodes() throws {
        var reached = Set(Self.crafted.map(\.code))
        let unreadable = try challenge(Entry().with("amount", "0"))
        #expect(vetting.refusal(unreadable) == .unreadable)
        #expect(try vetting.refusal(challenge()) == .unreadable)
        let unlisted = try challenge(Entry().token("eip155:8453", baseUSDC))
        #expect(vetting.refusal(unlisted) == .notInPayList)
        reached.formUnion([.unreadable, .notInPayList])
        #expect(reached == Set(RefusalCode.allCases))
        #expect(RefusalCode.allCases.allSatisfy { !$0.sentence.isEmpty })
        #expect(Set(RefusalCode.allCases.map(\.sentence)).count == RefusalCode.allCases.count)
    }

    @Test("an empty pay list pays nothing")
    func emptyList() throws {
        #expect(try PolicyTests.vetting([]).refusal(challenge(Entry())) == .notInPayList)
    }

    @Test("the refusal of several entries is that of the one that came closest, the first of equals")
    func closest() throws {
        let other = Entry().with("scheme", #""upto""#)
        let near = Entry().with("payTo", #""\#(payer)""#)
        let nearToo = Entry().with("payTo", #""\#(arbitrumUSDT)""#)
        let far = Entry().with("network", #""nowhere""#)
        guard case .failure(let refusal) = try vetting.choose(from: challenge(other, near, far, nearToo), at: .vectors)
        else {
            Issue.record("it was paid")
            return
        }
        #expect(refusal.code == .payee)
        #expect(refusal.requirement?.payTo == payer)
    }

    @Test("one good entry is enough, whatever surrounds it")
    func oneGood() throws {
        let bad = Self.crafted.prefix(40).map { Entry().with($0.key, $0.json) }
        let entries = bad.map(\.json) + [Entry().json, "7", "null"]
        let document = #"{"x402Version":2,"accepts":["# + entries.joined(separator: ",") + "]}"
        let challenge = try Challenge.read(ChallengeSource(header: Array(document.utf8), body: nil))
        #expect(vetting.refusal(challenge) == nil)
    }

    @Test("what is vetted is what the entry says, over the pinned domain")
    func vetted() throws {
        let entry = Entry().with(
            "extra", #"{"name":"USD\u20ae0","version":"1","verifyingContract":"\#(arbitrumUSDT.lowercased())"}"#)
        let payment = try vetting.paid(entry)
        #expect(String(decoding: payment.requirement.raw, as: UTF8.self) == entry.json)
        #expect(payment.payTo.checksummed == seller)
        #expect(payment.payer.checksummed == payer)
        #expect(payment.value == .cents(1))
        #expect(payment.domainSeparator == payment.asset.domainSeparator)
        let nonce = Bytes32.numbered(7)
        let authorization = payment.authorization(nonce: nonce)
        #expect(
            authorization
                == ExactAuthorization(
                    from: payment.payer, to: payment.payTo, value: UInt256(10_000), validAfter: payment.validAfter,
                    validBefore: payment.validBefore, nonce: nonce))
    }

    @Test("an entry without extra is paid over the pinned domain", arguments: [nil, "null", "{}", #""{}""#])
    func withoutExtra(json: String?) throws {
        let separator = "0x566af68fb471b22d6421762f84aa7bd761c670a2e4d5c8a47d4085d5957b127c"
        #expect(try vetting.paid(Entry().with("extra", json)).domainSeparator.description == separator)
    }

    @Test(
        "the network may be spelled any declared way and is echoed as received",
        arguments: ["arbitrum", "Arbitrum One"])
    func spelledNetwork(text: String) throws {
        let payment = try vetting.paid(Entry().with("network", #""\#(text)""#))
        #expect(payment.asset.network == "eip155:42161")
        #expect(payment.requirement.network == text)
    }

    @Test("addresses are compared without their case")
    func addressCase() throws {
        let entry = Entry().with("asset", #""\#(arbitrumUSDT.lowercased())""#)
            .with("payTo", #""0x\#(seller.dropFirst(2).uppercased())""#)
        #expect(try vetting.paid(entry).payTo.checksummed == seller)
    }

    @Test(
        "the window is the seller's, clamped, and begins ten minutes back",
        arguments: [
            ("10", 10), ("60", 60), ("600", 600), ("601", 600), ("345600", 600), ("9223372036854775807", 600),
            (nil, 300), ("0", 300), ("-1", 300), (#""60""#, 300),
        ] as [(String?, Int64)])
    func window(json: String?, seconds: Int64) throws {
        let payment = try vetting.paid(Entry().with("maxTimeoutSeconds", json))
        #expect(payment.validAfter == Timestamp.vectors.seconds - 600)
        #expect(payment.validBefore == Timestamp.vectors.seconds + seconds)
    }

    @Test("the dollar value is rounded up, against the payer, and the largest that books can hold is paid")
    func value() throws {
        #expect(try vetting.paid(Entry().with("amount", #""1""#)).value.nanodollars == 1000)
        let most = try vetting.paid(Entry().with("amount", #""9223372036854775""#))
        #expect(most.value.nanodollars == 9_223_372_036_854_775_000)
    }

    @Test("the pay list decides first, then the seller's order")
    func order() throws {
        let usdt = Entry()
        let usdc = Entry().token("eip155:8453", baseUSDC)
        let preferUSDC = try PolicyTests.vetting(["eip155:8453/USDC", "eip155:42161/USDT"])
        let preferUSDT = try PolicyTests.vetting(["eip155:42161/USDT", "eip155:8453/USDC"])
        for payment in [try preferUSDC.paid(usdt, usdc), try preferUSDC.paid(usdc, usdt)] {
            #expect(payment.asset.symbol == "USDC")
        }
        for payment in [try preferUSDT.paid(usdt, usdc), try preferUSDT.paid(usdc, usdt)] {
            #expect(payment.asset.symbol == "USDT")
        }
        let dear = usdt.with("amount", #""500""#)
        let cheap = usdt.with("amount", #""5""#)
        #expect(try preferUSDT.paid(dear, cheap).requirement.amount == UInt256(500))
        #expect(try preferUSDT.paid(cheap, dear).requirement.amount == UInt256(5))
    }

    @Test("what is charged on success only goes before what is charged anyway", arguments: ["upfront", "escrow"])
    func flows(flow: String) throws {
        let vetting = try PolicyTests.vetting(["eip155:42161/USDT", "eip155:8453/USDC"])
        let early = Entry().with("extra", #"{"paymentFlow":"\#(flow)"}"#)
        let usdc = Entry().token("eip155:8453", baseUSDC)
        #expect(try vetting.paid(early, usdc).asset.symbol == "USDC")
        #expect(try vetting.paid(early, usdc.with("extra", #"{"paymentFlow":"authorization"}"#)).asset.symbol == "USDC")
        #expect(try vetting.paid(early).asset.symbol == "USDT")
        let other = usdc.with("extra", #"{"paymentFlow":"\#(flow)"}"#)
        #expect(try vetting.paid(other, early).asset.symbol == "USDT")
    }

    @Test("a token that is pinned without a domain cannot be signed for")
    func permit2Only() throws {
        var table = try AssetTable.pinned()
        let address = try #require(Address(hex: arbitrumUSDT))
        let asset = try #require(
            Asset(
                network: "eip155:1", address: address, symbol: "USDT", tokenSymbol: nil,
                decimals: 6, transfer: .permit2, domainName: nil, domainVersion: nil, par: .cents(100)))
        try table.add(asset)
        let vetting = try PolicyTests.vetting(["eip155:1/USDT"], table: table)
        #expect(try vetting.refusal(challenge(Entry().with("network", #""ethereum""#))) == .transferMethod)
    }

    @Test("an operator's domain replaces the pinned one, and the seller's claim is held against it")
    func operatorDomain() throws {
        var table = try AssetTable.pinned()
        let address = try #require(Address(hex: arbitrumUSDT))
        let asset = try #require(
            Asset(
                network: "eip155:42161", address: address, symbol: "USDT",
                tokenSymbol: nil, decimals: 6, transfer: .eip3009, domainName: "Other", domainVersion: "9",
                par: .cents(100)))
        try table.add(asset)
        let vetting = try PolicyTests.vetting(table: table)
        #expect(try vetting.refusal(challenge(Entry().with("extra", #"{"name":"USD₮0"}"#))) == .domain)
        #expect(try vetting.paid(Entry().with("extra", #"{"name":"Other"}"#)).domainSeparator == asset.domainSeparator)
    }

    @Test(
        "a window is never longer than the gateway's policy says, on either side of now",
        arguments: [(Int64(10), Int64(10)), (45, 45), (300, 300), (600, 300), (3600, 300)])
    func policyWindow(longest: Int64, signed: Int64) throws {
        let address = try #require(Address(hex: payer))
        let vetting = Vetting(
            table: try .pinned(), rules: ["eip155:42161/USDT"].compactMap(PayRule.init), payer: address,
            maxValidity: longest)
        let payment = try vetting.paid(Entry())
        #expect(payment.validBefore == Timestamp.vectors.seconds + signed)
        #expect(payment.validAfter == Timestamp.vectors.seconds - min(longest, 600))
        #expect(payment.requirement.maxTimeoutSeconds == 300)
    }
}
