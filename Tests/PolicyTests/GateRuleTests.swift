import Ethereum
import Policy
import Primitives
import TestSupport
import Testing
import X402

@Suite("Gate: what gateways' rules and clocks let through")
struct GateRuleTests {
    private let asset = "eip155:42161/\(arbitrumUSDT)"
    private static let other = "0x3325a78425F17a7E487Eb5666b2bFd93aBb06c70"

    @Test("a payment costs at most one dollar unless the gateway says otherwise")
    func oneDollar() throws {
        var door = try Doorway()
        door.context.rules = GateRules()
        #expect(try door.paid(Entry().with("amount", #""1000000""#)).value == .one)
        #expect(try door.refusal(challenge(Entry().with("amount", #""1000001""#))) == .tooLarge)
        door.context.rules.maxPayment = .cents(1)
        #expect(try door.refusal(challenge(Entry().with("amount", #""10001""#))) == .tooLarge)
        guard case .refuse(let refusal) = door.decide(try challenge(Entry().with("amount", #""1000000""#))) else {
            Issue.record("it was paid")
            return
        }
        #expect(refusal.value == .one)
    }

    @Test("what must not cost anything is not paid", arguments: ["HEAD", "OPTIONS", "TRACE"])
    func freeMethods(method: String) throws {
        var door = try Doorway()
        door.context.request = GateRequest(
            agent: "scout", team: nil, gateway: "lab", host: "x", method: method, path: "/", model: .absent)
        #expect(try door.refusal(challenge(Entry())) == .requestMethod)
    }

    @Test(
        "the seller's clock moves the window by at most five minutes, and beyond that nothing is paid",
        arguments: [
            (0, 0), (60, 0), (-60, 0), (61, 61), (300, 300), (-300, -300), (301, nil), (-301, nil), (86_400, nil),
        ] as [(Int64, Int64?)])
    func sellerClock(apart: Int64, moved: Int64?) throws {
        var door = try Doorway()
        let now = Timestamp.vectors
        door.context.clock = GateClock(now: now, seller: now.adding(seconds: apart))
        guard let moved else {
            #expect(try door.refusal(challenge(Entry())) == .clock)
            return
        }
        let order = try door.paid(Entry().with("maxTimeoutSeconds", "500")).order
        #expect(order.validBefore == now.seconds + moved + 500)
        #expect(order.validAfter == now.seconds + moved - 600)
        let longest = try door.paid(Entry().with("maxTimeoutSeconds", "86400")).order
        #expect(longest.validBefore <= now.seconds + 600 + 300)
    }

    @Test("a window that is over by the local clock is not signed, however right it is by the seller's")
    func overByOurs() throws {
        var door = try Doorway()
        let now = Timestamp.vectors
        door.context.clock = GateClock(now: now, seller: now.adding(seconds: -240))
        #expect(try door.refusal(challenge(Entry().with("maxTimeoutSeconds", "60"))) == .window)
        #expect(try door.refusal(challenge(Entry().with("maxTimeoutSeconds", "249"))) == .window)
        #expect(try door.paid(Entry().with("maxTimeoutSeconds", "250")).order.validBefore == now.seconds + 10)
    }

    @Test("only pinned payees are paid where some are pinned")
    func pinned() throws {
        var door = try Doorway()
        door.context.rules.payees = try [#require(Address(hex: Self.other))]
        #expect(try door.refusal(challenge(Entry())) == .payeeNotPinned)
        #expect(try door.paid(Entry().with("payTo", #""\#(Self.other.lowercased())""#)).alerts.isEmpty)
    }

    @Test(
        "a payee that is new for a host is told, asked about or refused",
        arguments: [(.alert, nil), (.ask, .approval), (.refuse, .payeeChanged)]
            as [(GateRules.Reaction, RefusalCode?)])
    func newPayee(reaction: GateRules.Reaction, code: RefusalCode?) throws {
        var door = try Doorway()
        door.context.rules.newPayee = reaction
        // The first payment to a host is to a new payee by nature.
        #expect(try door.paid(Entry()).alerts.isEmpty)
        door.context.history.payees = [asset: [seller]]
        #expect(try door.paid(Entry()).alerts.isEmpty)
        door.context.history.payees = [asset: [Self.other]]
        guard let code else {
            #expect(try door.paid(Entry()).alerts == [.newPayee(payee: seller, asset: asset)])
            return
        }
        #expect(try door.refusal(challenge(Entry())) == code)
        if case .ask = door.decide(try challenge(Entry())) {
            #expect(reaction == .ask)
        } else {
            #expect(reaction == .refuse)
        }
    }

    @Test(
        "a price far above what was paid before is told, asked about or refused",
        arguments: [(.alert, nil), (.ask, .approval), (.refuse, .priceRise)] as [(GateRules.Reaction, RefusalCode?)])
    func higherPrice(reaction: GateRules.Reaction, code: RefusalCode?) throws {
        var door = try Doorway()
        door.context.rules.higherPrice = reaction
        door.context.rules.priceRise = 3
        door.context.history.prices = [asset: .cents(1)]
        #expect(try door.paid(Entry().with("amount", #""30000""#)).alerts.isEmpty)
        let dear = Entry().with("amount", #""30001""#)
        guard let code else {
            let alerts = try door.paid(dear).alerts
            #expect(alerts == [.higherPrice(price: try #require(Dollars("0.030001")), before: .cents(1))])
            return
        }
        #expect(try door.refusal(challenge(dear)) == code)
    }

    @Test("an entry that needs no asking is paid before one that does, and asking goes before refusing")
    func mixed() throws {
        var door = try Doorway()
        door.context.rules.newPayee = .ask
        door.context.history.payees = [asset: [Self.other]]
        let known = Entry().with("payTo", #""\#(Self.other)""#)
        #expect(try door.paid(Entry(), known).order.payTo.checksummed == Self.other)
        guard case .ask(let refusal) = door.decide(try challenge(Entry().with("scheme", #""x""#), Entry())) else {
            Issue.record("nobody was asked")
            return
        }
        #expect(refusal.code == .approval)
    }

    // MARK: Permit2

    private static let bnb = "0x55d398326f99059fF775485246999027B3197955"
    private static let gateSpender = "0x701cCFfcdE34b92B16599Ac865AA1395A1a1F38c"

    private func bnb(_ extra: String, scheme: String = "exact") -> Entry {
        Entry().token("eip155:56", Self.bnb).with("scheme", #""\#(scheme)""#)
            .with("amount", #""10000000000000000""#).with("extra", "{\(extra)}")
    }

    @Test("USDT of 18 decimals is paid by Permit2, at its value")
    func eighteenDecimals() throws {
        let door = try Doorway(["eip155:56/USDT"])
        let payment = try door.paid(bnb(#""assetTransferMethod":"permit2","decimals":18"#))
        #expect(payment.value == .cents(1))
        #expect(payment.method == "exact-permit2")
        let six = bnb(#""assetTransferMethod":"permit2","decimals":6"#)
        #expect(try door.refusal(challenge(six)) == .decimals)
        #expect(try door.refusal(challenge(bnb(""))) == .transferMethod)
    }

    @Test("upto sets the maximum aside, and names its facilitator")
    func upto() throws {
        let door = try Doorway(["eip155:56/USDT"])
        let payment = try door.paid(bnb(#""facilitatorAddress":"\#(Self.other)""#, scheme: "upto"))
        #expect(payment.method == "upto-permit2" && payment.value == .cents(1))
        #expect(try door.refusal(challenge(bnb("", scheme: "upto"))) == .facilitator)
    }

    @Test("Permit2 is not paid to sellers of version 1")
    func version1() throws {
        let door = try Doorway(["eip155:56/USDT"])
        let entry = bnb(#""assetTransferMethod":"permit2""#)
            .with("amount", nil).with("maxAmountRequired", #""10000000000000000""#)
        let body = #"{"x402Version":1,"accepts":["# + entry.json + "]}"
        let challenge = try Challenge.read(ChallengeSource(header: nil, body: Array(body.utf8)))
        #expect(door.refusal(challenge) == .transferMethod)
    }

    @Test(
        "a dictated window is accepted inside the gateway's policy only",
        arguments: [
            (5, nil, .window), (8, nil, .window), (9, nil, nil), (60, nil, nil), (599, nil, nil), (600, nil, .dictated),
            (86_400, nil, .dictated), (60, 0, .dictated), (60, -1, nil), (60, -1_000_000, nil),
        ] as [(Int64, Int64?, RefusalCode?)])
    func dictated(deadline: Int64, start: Int64?, code: RefusalCode?) throws {
        var door = try Doorway(["eip155:56/USDT"])
        door.context.rules.profiles = [.gate]
        door.context.rules.spenders = try [#require(Address(hex: Self.gateSpender))]
        let now = Timestamp.vectors.seconds
        var extra = #""assetTransferMethod":"permit2","spender":"\#(Self.gateSpender)","nonce":"7","#
        extra += #""deadline":"\#(now + deadline)""#
        if let start { extra += #","validAfter":"\#(now + start + 1)""# }
        guard let code else {
            let order = try door.paid(bnb(extra)).order
            #expect(order.validBefore == now + deadline + 1)
            #expect(order.nonce == UInt256(7).bigEndianBytes)
            #expect(order.validAfter == now + (start ?? -600))
            return
        }
        #expect(try door.refusal(challenge(bnb(extra))) == code)
    }

    @Test("an earlier payment comes out again byte for byte, and not over another token or payee")
    func again() throws {
        let door = try Doorway(["eip155:56/USDT"])
        let payment = try door.paid(bnb(#""facilitatorAddress":"\#(Self.other)""#, scheme: "upto"))
        let again = try #require(
            door.gate.again(payment.order, by: payment.method, for: payment.entry, value: payment.value))
        #expect(again.signable == payment.signable && again.method == payment.method)
        let order = payment.order
        let toSelf = PaymentOrder(
            extra: order.extra, token: order.token, payer: order.payer, payTo: order.payer, amount: order.amount,
            validAfter: order.validAfter, validBefore: order.validBefore, nonce: order.nonce)
        #expect(door.gate.again(toSelf, by: payment.method, for: payment.entry, value: payment.value) == nil)
        let empty = Gate(table: try AssetTable(json: Array("{}".utf8)))
        #expect(empty.again(order, by: payment.method, for: payment.entry, value: payment.value) == nil)
    }
}
