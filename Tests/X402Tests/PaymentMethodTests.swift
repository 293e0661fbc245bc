import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@Suite("Payment methods")
struct PaymentMethodTests {
    /// The vectors that a method over Permit2 has to give, byte for byte.
    static func rows() throws -> [Vectors.Row] {
        try Vectors.entries(prefix: "exact-permit2-") + Vectors.entries(prefix: "upto-permit2-")
    }

    private func entry(_ row: Vectors.Row) throws -> PaymentRequirement {
        let header = try #require(row.value["http"]?["PAYMENT-REQUIRED"]?.string)
        let challenge = try Challenge.read(ChallengeSource(header: Array(header.utf8), body: nil))
        return try #require(challenge.requirements.first)
    }

    private func token(_ entry: PaymentRequirement) throws -> Asset {
        let address = try #require(Address(hex: entry.asset))
        return try #require(
            Asset(
                network: entry.network, address: address, symbol: "USDC", tokenSymbol: nil, decimals: 6,
                transfer: .permit2, domainName: nil, domainVersion: nil, par: .one))
    }

    @Test("what is signed and sent over Permit2 is the SDK's, byte for byte", arguments: try rows())
    func vector(row: Vectors.Row) throws {
        let entry = try entry(row)
        let method = try #require(PaymentMethods.standard.method(for: entry))
        #expect(method.name == "\(entry.scheme)-permit2")
        let token = try token(entry)
        #expect(try method.check(entry, token: token, under: MethodRules()) == .none)
        let typed = try #require(row.value["typedData"])
        let message = Vectors.Row(description: "", value: try #require(typed["message"]))
        let witness = Vectors.Row(description: "", value: try #require(typed["message"]?["witness"]))
        let sent = try #require(row.value["http"]?["paymentPayload"]?["payload"])
        let payer = try #require(Address(hex: typed["signer"]?.string ?? ""))
        let payTo = try #require(Address(hex: entry.payTo))
        let start = try #require(Int64(witness.string("validAfter")))
        let deadline = try #require(Int64(message.string("deadline")))
        let nonce = try UInt256(decimal: message.string("nonce"))
        // The SDK's window is closed, an order's is open.
        let order = PaymentOrder(
            extra: entry.extra, token: token, payer: payer, payTo: payTo, amount: entry.amount, validAfter: start - 1,
            validBefore: deadline + 1, nonce: nonce.bigEndianBytes)
        let authorization = try #require(method.authorization(of: order))
        #expect(authorization.digest.description == typed["digest"]?.string)
        let payload = try authorization.payload(signature: PaymentHeaderTests.sign(authorization.digest))
        #expect(try JSONReader.read(payload).canonical == sent.canonical)
    }

    @Test("the Permit2 domain of a chain is the published one", arguments: try Vectors.rows("permit2-domains"))
    func domain(row: Vectors.Row) throws {
        let chain = try #require(row.value["chainId"]?.integer)
        #expect(Permit2.separator(chainID: UInt64(chain)).description == row.value["domainSeparator"]?.string)
    }

    @Test("addresses and type hashes are the published ones")
    func constants() {
        #expect(Permit2.address.checksummed == "0x000000000022D473030F116dDEE9F6B43aC78BA3")
        #expect(ExactPermit2.proxy.checksummed == "0x402085c248EeA27D92E8b30b2C58ed07f9E20001")
        #expect(UptoPermit2.proxy.checksummed == "0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002")
        let hashes = [
            PermitWitnessTransferFrom.exactTypeHash, PermitWitnessTransferFrom.uptoTypeHash,
            PermitWitnessTransferFrom.permissionsTypeHash, PermitWitnessTransferFrom.exactWitnessTypeHash,
            PermitWitnessTransferFrom.uptoWitnessTypeHash,
        ]
        #expect(
            hashes.map(\.description) == [
                "0xebc156cd23678a74c94df13d772ef5478420637f0c94bd10d509e1dc98f521c7",
                "0x51dff6974ad4388c499e7fcfe838d2bd767162553a144098ce20ea661d70c2ee",
                "0x618358ac3db8dc274f0cd8829da7e234bd48cd73c4a740aede1adec9846d06a1",
                "0xd97b3239a7f32295517bd14cb074edfdd188dfe5eb42f802bb26d4fd1eb12c37",
                "0xd4171c445a74218b01d4fd8af34ff1106580ea1e36ff837e64484bfaa2253b75",
            ])
    }

    /// A payment of 0.01 USDT on BNB Chain that two independent encoders agree about, by spender.
    static let spenders: [(String, String, String)] = [
        (
            "exact-permit2", "0x402085c248EeA27D92E8b30b2C58ed07f9E20001",
            "0xec09c14124704b60cb7d5311412a8753454fb7ce259fa5622d418652eb48e239"
        ),
        (
            "exact-permit2-gate", "0x701cCFfcdE34b92B16599Ac865AA1395A1a1F38c",
            "0x14513b1b92a74e6f504d3430ff9cd8398f0e3c43f60278afce16d8ecb5b6620a"
        ),
    ]

    @Test("a vendor's spender is signed for under its own method", arguments: spenders)
    func spender(name: String, spender: String, digest: String) throws {
        let method = try #require(PaymentMethods.standard.method(named: name))
        let entry = try bnb(#""assetTransferMethod":"permit2","spender":"\#(spender)""#)
        #expect(PaymentMethods.standard.method(for: entry)?.name == name)
        let payer = try #require(Address(hex: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"))
        let payTo = try #require(Address(hex: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"))
        let nonce = try #require(Bytes32([UInt8](repeating: 0x11, count: 32)))
        let order = try PaymentOrder(
            extra: entry.extra, token: Self.bnbUSDT(), payer: payer, payTo: payTo,
            amount: UInt256(decimal: "10000000000000000"), validAfter: 1_699_999_999, validBefore: 1_700_000_601,
            nonce: nonce)
        #expect(method.authorization(of: order)?.digest.description == digest)
    }

    @Test("names are unique and fit the books")
    func names() {
        let names = PaymentMethods.standard.all.map(\.name)
        #expect(Set(names).count == names.count)
        for name in names {
            #expect((1...40).contains(name.utf8.count))
            #expect(name.utf8.allSatisfy { $0 == 0x2d || (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) })
        }
    }

    // MARK: What methods refuse

    struct Case: Sendable, CustomTestStringConvertible {
        let extra: String
        var scheme = "exact"
        var rules = MethodRules()
        let method: String?
        let code: RefusalCode?

        var testDescription: String { "\(scheme) {\(extra)}" }
    }

    static let gate = "0x701cCFfcdE34b92B16599Ac865AA1395A1a1F38c"
    static let proxy = "0x402085c248EeA27D92E8b30b2C58ed07f9E20001"
    static let facilitator = "0x3325a78425F17a7E487Eb5666b2bFd93aBb06c70"

    static func allowed(_ profiles: VendorProfile...) -> MethodRules {
        MethodRules(profiles: Set(profiles), spenders: Set([Address(hex: gate)].compactMap { $0 }))
    }

    static let cases: [Case] = [
        Case(extra: #""assetTransferMethod":"permit2""#, method: "exact-permit2", code: nil),
        Case(
            extra: #""assetTransferMethod":"permit2""#, rules: MethodRules(version: 1), method: "exact-permit2",
            code: .transferMethod),
        Case(
            extra: #""assetTransferMethod":"permit2","spenderAddress":"\#(proxy.lowercased())""#,
            method: "exact-permit2", code: nil),
        Case(
            extra: #""assetTransferMethod":"permit2","spender":"\#(gate)""#, method: "exact-permit2-gate",
            code: .spender),
        Case(
            extra: #""assetTransferMethod":"permit2","spender":"\#(gate)""#, rules: allowed(.binance),
            method: "exact-permit2-gate", code: .spender),
        Case(
            extra: #""assetTransferMethod":"permit2","spender":"\#(gate)""#, rules: MethodRules(profiles: [.gate]),
            method: "exact-permit2-gate", code: .spender),
        Case(
            extra: #""assetTransferMethod":"permit2","spender":"\#(gate)""#, rules: allowed(.gate),
            method: "exact-permit2-gate", code: nil),
        Case(
            extra: #""assetTransferMethod":"permit2","spender":"\#(gate)","permit2Spender":"\#(proxy)""#,
            rules: allowed(.gate), method: "exact-permit2-gate", code: .spender),
        Case(
            extra: #""assetTransferMethod":"permit2","spender":"\#(gate)","nonce":"0""#, rules: allowed(.gate),
            method: "exact-permit2-gate", code: .dictated),
        Case(
            extra: #""assetTransferMethod":"permit2","spender":"\#(gate)","nonce":-1"#, rules: allowed(.gate),
            method: "exact-permit2-gate", code: .dictated),
        Case(
            extra: #""assetTransferMethod":"permit2","spender":"\#(gate)","deadline":"1e9""#, rules: allowed(.gate),
            method: "exact-permit2-gate", code: .dictated),
        Case(
            extra: #""assetTransferMethod":"permit2","deadline":"1795305700""#, rules: allowed(.gate),
            method: "exact-permit2-gate", code: .spender),
        Case(
            extra: #""assetTransferMethod":"permit2-exact","spenderAddress":"\#(gate)""#,
            method: "exact-permit2-binance", code: .spender),
        Case(
            extra: #""assetTransferMethod":"permit2","spenderAddress":"\#(gate)""#, rules: allowed(.binance),
            method: "exact-permit2-binance", code: nil),
        Case(
            extra: #""assetTransferMethod":"permit2-exact","spenderAddress":"\#(gate)","nonce":7"#,
            rules: allowed(.binance, .gate), method: "exact-permit2-binance", code: .dictated),
        Case(extra: #""assetTransferMethod":"erc7710""#, method: nil, code: nil),
        Case(extra: "", scheme: "upto", method: "upto-permit2", code: .facilitator),
        Case(
            extra: #""facilitatorAddress":"0x0000000000000000000000000000000000000000""#, scheme: "upto",
            method: "upto-permit2", code: .facilitator),
        Case(
            extra: #""facilitatorAddress":"\#(facilitator)""#, scheme: "upto", method: "upto-permit2", code: nil),
        Case(
            extra: #""facilitatorAddress":"\#(facilitator)","spender":"\#(gate)""#, scheme: "upto",
            rules: allowed(.gate), method: "upto-permit2", code: .spender),
        Case(
            extra: #""facilitatorAddress":"\#(facilitator)""#, scheme: "upto", rules: MethodRules(version: 1),
            method: "upto-permit2", code: .transferMethod),
        Case(extra: "", scheme: "exact_gasfree", method: nil, code: nil),
    ]

    @Test("an entry is claimed by one method, which refuses what it cannot sign for", arguments: cases)
    func refused(item: Case) throws {
        let entry = try bnb(item.extra, scheme: item.scheme)
        let method = PaymentMethods.standard.method(for: entry)
        #expect(method?.name == item.method)
        guard let method else { return }
        var code: RefusalCode?
        do {
            _ = try method.check(entry, token: Self.bnbUSDT(), under: item.rules)
        } catch let refusal as RefusalCode {
            code = refusal
        }
        #expect(code == item.code)
    }

    @Test("what a vendor's seller dictates is taken over, as an open window")
    func dictated() throws {
        let entry = try bnb(
            #""assetTransferMethod":"permit2","spender":"\#(Self.gate)","permitNonce":"77","deadline":1795305700,"#
                + #""validAfter":"0""#)
        let terms = try GatePermit2().check(entry, token: Self.bnbUSDT(), under: Self.allowed(.gate))
        #expect(terms.nonce == UInt256(77).bigEndianBytes)
        #expect(terms.validBefore == 1_795_305_701)
        #expect(terms.validAfter == -1)
    }

    private static func bnbUSDT() throws -> Asset {
        let address = try #require(Address(hex: "0x55d398326f99059fF775485246999027B3197955"))
        return try #require(
            Asset(
                network: "eip155:56", address: address, symbol: "USDT", tokenSymbol: nil, decimals: 18,
                transfer: .permit2, domainName: nil, domainVersion: nil, par: .one))
    }

    private func bnb(_ extra: String, scheme: String = "exact") throws -> PaymentRequirement {
        let text =
            #"{"scheme":"\#(scheme)","network":"eip155:56","asset":"0x55d398326f99059fF775485246999027B3197955","#
            + #""amount":"10000000000000000","payTo":"0x70997970C51812dc3A010C7d01b50e0d17dc79C8","extra":{\#(extra)}}"#
        return try PaymentRequirement.read(JSONReader.read(Array(text.utf8)), in: Array(text.utf8))
    }
}
