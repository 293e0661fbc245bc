import Ethereum
import Policy
import Primitives
import TestSupport
import Testing
import X402

@Suite("Gate")
struct GateTests {
    private let door: Doorway

    init() throws {
        door = try Doorway()
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
        texts(.scheme, "scheme", ["Exact", "EXACT", "Upto", "exact ", "exact_gasfree", "batch-settlement"]),
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
                #""assetTransferMethod":"erc7710""#, #""assetTransferMethod":"PERMIT2""#, #""assetTransferMethod":"""#,
                #""assetTransferMethod":"EIP3009""#, #""assetTransferMethod":{}"#,
            ]),
        extras(
            .domain,
            [
                #""name":"USDT0","version":"1""#, #""name":"USD\u20ae0 ""#, #""name":"USD₮""#, #""name":"Tether USD""#,
                #""name":"usd₮0""#, #""version":"2""#, #""version":"01""#, #""name":"""#, #""name":7"#,
                #""version":1.0"#, #""version":1e0"#,
                #""version":2"#, #""version":-1"#, #""version":true"#,
                #""verifyingContract":"0x0077777d7EBA4688BDeF3E311b846F25870A19B9""#, #""verifyingContract":"""#,
                #""verifyingContract":[]"#, #""name":"GatewayWalletBatched","version":"1""#,
            ]),
        crafted(.tooLong, "outputSchema", ["\"" + String(repeating: "y", count: 9000) + "\""]),
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
        extras(
            .decimals,
            [#""decimals":18"#, #""decimals":"18""#, #""decimals":"""#, #""decimals":6.0"#, #""decimals":{}"#]),
        extras(
            .spender,
            [
                #""assetTransferMethod":"permit2","spender":"0x701cCFfcdE34b92B16599Ac865AA1395A1a1F38c""#,
                #""assetTransferMethod":"permit2","permit2Spender":"0x701cCFfcdE34b92B16599Ac865AA1395A1a1F38c""#,
                #""assetTransferMethod":"permit2","spenderAddress":"0x701cCFfcdE34b92B16599Ac865AA1395A1a1F38c""#,
                #""assetTransferMethod":"permit2","spender":"""#, #""assetTransferMethod":"permit2","spender":7"#,
                #""assetTransferMethod":"permit2","nonce":"7""#,
                #""assetTransferMethod":"permit2","deadline":1795306000"#,
                #""assetTransferMethod":"permit2-exact""#,
            ]),
    ].flatMap { $0 }

    @Test("one thing wrong is refused by its own code", arguments: crafted)
    func refused(crafted: Crafted) throws {
        let challenge = try challenge(Entry().with(crafted.key, crafted.json))
        #expect(door.refusal(challenge) == crafted.code)
    }

    @Test("a domain's version may be a number of digits, which counts as its text and is echoed as it came")
    func numericVersion() throws {
        let entry = Entry().with("extra", #"{"name":"USD\u20ae0","version":1}"#)
        let payment = try door.paid(entry)
        #expect(String(decoding: payment.entry.raw, as: UTF8.self) == entry.json)
    }

    @Test("an entry too long for a header line is paid where what no seller compares may be left out")
    func trimmed() throws {
        let entry = Entry().with("outputSchema", "\"" + String(repeating: "y", count: 9000) + "\"")
        #expect(try door.refusal(challenge(entry)) == .tooLong)
        var open = door
        open.context.rules.trimsEntry = true
        #expect(try open.refusal(challenge(entry)) == nil)
    }

    @Test("every code is reached by some challenge")
    func allCodes() throws {
        var reached = Set(Self.crafted.map(\.code))
        let unreadable = try challenge(Entry().with("amount", "0"))
        #expect(door.refusal(unreadable) == .unreadable)
        #expect(try door.refusal(challenge()) == .unreadable)
        let unlisted = try challenge(Entry().token("eip155:8453", baseUSDC))
        #expect(door.refusal(unlisted) == .notInPayList)
        reached.formUnion([.unreadable, .notInPayList])
        // The others are reached by the tests of the methods, and of the gateways' rules.
        reached.formUnion([
            .requestMethod, .clock, .identifier, .facilitator, .dictated, .payeeNotPinned, .payeeChanged, .priceRise,
            .tooLarge, .policy, .approval, .pathTooLong,
        ])
        #expect(reached == Set(RefusalCode.allCases))
        #expect(RefusalCode.allCases.allSatisfy { !$0.sentence.isEmpty })
        #expect(Set(RefusalCode.allCases.map(\.sentence)).count == RefusalCode.allCases.count)
    }

    @Test("an empty pay list pays nothing")
    func emptyList() throws {
        #expect(try Doorway([]).refusal(challenge(Entry())) == .notInPayList)
    }

    @Test("the refusal of several entries is that of the one that came closest, the first of equals")
    func closest() throws {
        let other = Entry().with("scheme", #""later""#)
        let near = Entry().with("payTo", #""\#(payer)""#)
        let nearToo = Entry().with("payTo", #""\#(arbitrumUSDT)""#)
        let far = Entry().with("network", #""nowhere""#)
        guard case .refuse(let refusal) = door.decide(try challenge(other, near, far, nearToo))
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
        #expect(door.refusal(challenge) == nil)
    }

    @Test("what is vetted is what the entry says, over the pinned domain")
    func vetted() throws {
        let entry = Entry().with(
            "extra", #"{"name":"USD\u20ae0","version":"1","verifyingContract":"\#(arbitrumUSDT.lowercased())"}"#)
        let payment = try door.paid(entry)
        #expect(String(decoding: payment.entry.raw, as: UTF8.self) == entry.json)
        #expect(payment.order.payTo.checksummed == seller)
        #expect(payment.order.payer.checksummed == payer)
        #expect(payment.value == .cents(1))
        #expect(payment.order.token.addressText == arbitrumUSDT)
        #expect(payment.order.nonce == .numbered(7))
        #expect(payment.method == "exact-eip3009")
        let transfer = TransferWithAuthorization(
            from: payment.order.payer, to: payment.order.payTo, value: UInt256(10_000),
            validAfter: UInt64(payment.order.validAfter), validBefore: UInt64(payment.order.validBefore),
            nonce: .numbered(7))
        let separator = try #require(payment.order.token.domainSeparator)
        #expect(payment.signable.digest == transfer.digest(domainSeparator: separator))
    }

    @Test("an entry without extra is paid over the pinned domain", arguments: [nil, "null", "{}", #""{}""#])
    func withoutExtra(json: String?) throws {
        let separator = "0x566af68fb471b22d6421762f84aa7bd761c670a2e4d5c8a47d4085d5957b127c"
        #expect(try door.paid(Entry().with("extra", json)).order.token.domainSeparator?.description == separator)
    }

    @Test(
        "the network may be spelled any declared way and is echoed as received",
        arguments: ["arbitrum", "Arbitrum One"])
    func spelledNetwork(text: String) throws {
        let payment = try door.paid(Entry().with("network", #""\#(text)""#))
        #expect(payment.order.token.network == "eip155:42161")
        #expect(payment.entry.network == text)
    }

    @Test("addresses are compared without their case")
    func addressCase() throws {
        let entry = Entry().with("asset", #""\#(arbitrumUSDT.lowercased())""#)
            .with("payTo", #""0x\#(seller.dropFirst(2).uppercased())""#)
        #expect(try door.paid(entry).order.payTo.checksummed == seller)
    }

    @Test(
        "the window is the seller's, clamped, and begins ten minutes back",
        arguments: [
            ("10", 10), ("60", 60), ("600", 600), ("601", 600), ("345600", 600), ("9223372036854775807", 600),
            (nil, 300), ("0", 300), ("-1", 300), (#""60""#, 300),
        ] as [(String?, Int64)])
    func window(json: String?, seconds: Int64) throws {
        let payment = try door.paid(Entry().with("maxTimeoutSeconds", json))
        #expect(payment.order.validAfter == Timestamp.vectors.seconds - 600)
        #expect(payment.order.validBefore == Timestamp.vectors.seconds + seconds)
    }

    @Test("the dollar value is rounded up, against the payer, and the largest that books can hold is paid")
    func value() throws {
        #expect(try door.paid(Entry().with("amount", #""1""#)).value.nanodollars == 1000)
        let most = try door.paid(Entry().with("amount", #""9223372036854775""#))
        #expect(most.value.nanodollars == 9_223_372_036_854_775_000)
    }

    @Test("the pay list decides first, then the seller's order")
    func order() throws {
        let usdt = Entry()
        let usdc = Entry().token("eip155:8453", baseUSDC)
        let preferUSDC = try Doorway(["eip155:8453/USDC", "eip155:42161/USDT"])
        let preferUSDT = try Doorway(["eip155:42161/USDT", "eip155:8453/USDC"])
        for payment in [try preferUSDC.paid(usdt, usdc), try preferUSDC.paid(usdc, usdt)] {
            #expect(payment.order.token.symbol == "USDC")
        }
        for payment in [try preferUSDT.paid(usdt, usdc), try preferUSDT.paid(usdc, usdt)] {
            #expect(payment.order.token.symbol == "USDT")
        }
        let dear = usdt.with("amount", #""500""#)
        let cheap = usdt.with("amount", #""5""#)
        #expect(try preferUSDT.paid(dear, cheap).entry.amount == UInt256(500))
        #expect(try preferUSDT.paid(cheap, dear).entry.amount == UInt256(5))
    }

    @Test("what is charged on success only goes before what is charged anyway", arguments: ["upfront", "escrow"])
    func flows(flow: String) throws {
        let door = try Doorway(["eip155:42161/USDT", "eip155:8453/USDC"])
        let early = Entry().with("extra", #"{"paymentFlow":"\#(flow)"}"#)
        let usdc = Entry().token("eip155:8453", baseUSDC)
        #expect(try door.paid(early, usdc).order.token.symbol == "USDC")
        #expect(
            try door.paid(early, usdc.with("extra", #"{"paymentFlow":"authorization"}"#)).order.token.symbol == "USDC")
        #expect(try door.paid(early).order.token.symbol == "USDT")
        let other = usdc.with("extra", #"{"paymentFlow":"\#(flow)"}"#)
        #expect(try door.paid(other, early).order.token.symbol == "USDT")
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
        let door = try Doorway(["eip155:1/USDT"], table: table)
        #expect(try door.refusal(challenge(Entry().with("network", #""ethereum""#))) == .transferMethod)
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
        let door = try Doorway(table: table)
        #expect(try door.refusal(challenge(Entry().with("extra", #"{"name":"USD₮0"}"#))) == .domain)
        #expect(
            try door.paid(Entry().with("extra", #"{"name":"Other"}"#)).order.token.domainSeparator
                == asset.domainSeparator)
    }

    @Test(
        "a window is never longer than the gateway's policy says, on either side of now",
        arguments: [(Int64(10), Int64(10)), (45, 45), (300, 300), (600, 300), (3600, 300)])
    func policyWindow(longest: Int64, signed: Int64) throws {
        var door = try Doorway()
        door.context.rules.maxValidity = longest
        let payment = try door.paid(Entry())
        #expect(payment.order.validBefore == Timestamp.vectors.seconds + signed)
        #expect(payment.order.validAfter == Timestamp.vectors.seconds - min(longest, 600))
        #expect(payment.entry.maxTimeoutSeconds == 300)
    }
}
