import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@testable import Simulator

@Suite("What the gateway takes by Permit2")
struct Permit2Tests {
    /// A thousand tokens of 18 decimals, and the light model's price.
    static let opening = units("1000000000000000000000")
    static let price = units("300000000000000")

    static func units(_ text: String) -> UInt256 {
        guard let value = try? UInt256(decimal: text) else { preconditionFailure("\(text) is no number") }
        return value
    }

    @Test("each route asks for its own scheme, in the token's own decimals", arguments: Shop.Route.allCases)
    func challenge(route: Shop.Route) throws {
        let entry = try Shop().entry(route)
        #expect(entry.network == "eip155:56")
        #expect(entry.asset == "0x55d398326f99059fF775485246999027B3197955")
        #expect(entry.amount == Self.price)
        #expect(entry.scheme == (route == .upto ? "upto" : "exact"))
        #expect(entry.extra[.assetTransferMethod] == "permit2")
        #expect((entry.extra[.facilitatorAddress] != nil) == (route == .upto))
        let method = try #require(PaymentMethods.standard.method(for: entry))
        #expect(method.name == (route == .upto ? "upto-permit2" : "exact-permit2"))
    }

    @Test("the calls of the other routes stay what they were: nothing of Permit2 stands in their challenges")
    func otherRoutes() throws {
        let requirements = try Shop().challenge(Shop.body()).requirements
        #expect(requirements.map(\.network) == ["eip155:42161", "eip155:8453"])
        #expect(requirements.allSatisfy { $0.extra[.assetTransferMethod] == nil })
    }

    @Test("an exact payment is taken whole, once, and its report names no amount")
    func exact() throws {
        let shop = try Shop()
        let draft = try shop.permit(.permit2)
        let reply = try shop.pay(draft, .permit2)
        #expect(reply.status == 200)
        let report = try #require(reply.settlement())
        #expect(report.success && report.amount == nil && report.transaction != nil)
        #expect(shop.held == Self.opening.subtracting(Self.price))
        #expect(shop.gateway.balance(of: Shop.payTo, on: "eip155:56") == Self.price)
        #expect(try shop.pay(draft, .permit2) == reply)
        let settlement = try #require(shop.gateway.settlements.first)
        #expect(settlement.amount == Self.price && settlement.authorized == Self.price)
        #expect(settlement.nonce == draft.nonce)
        #expect(shop.gateway.settlements.count == 1)
    }

    /// One way to spoil a payment, and the reason it gets.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let reason: String
        let spoil: @Sendable (inout PermitDraft) throws -> Void

        init(_ name: String, _ reason: String, _ spoil: @escaping @Sendable (inout PermitDraft) throws -> Void) {
            testDescription = name
            self.reason = reason
            self.spoil = spoil
        }
    }

    static let now: Int64 = 1_795_305_600
    static let faults = [
        Fault("another payer's name", "invalid_permit2_signature") { $0.payer = Shop.payTo },
        Fault("another chain", "invalid_permit2_signature") {
            $0.token = try #require(
                Asset(
                    network: "eip155:97", address: $0.token.address, symbol: "USDT", tokenSymbol: nil, decimals: 18,
                    transfer: .permit2, domainName: nil, domainVersion: nil, par: $0.token.par))
        },
        Fault("another token", "permit2_token_mismatch") {
            $0.token = try #require(
                Asset(
                    network: "eip155:56", address: Shop.payTo, symbol: "USDT", tokenSymbol: nil, decimals: 18,
                    transfer: .permit2, domainName: nil, domainVersion: nil, par: $0.token.par))
        },
        Fault("a spender of its own", "invalid_permit2_spender") { $0.spender = Shop.payTo },
        Fault("the other scheme's spender", "invalid_permit2_spender") {
            $0.spender = $0.spender == UptoPermit2.proxy ? ExactPermit2.proxy : UptoPermit2.proxy
        },
        Fault("another payee", "invalid_permit2_recipient_mismatch") { $0.payTo = .zero },
        Fault("one unit less", "permit2_amount_mismatch") {
            $0.amount = try #require($0.amount.subtracting(UInt256(1)))
        },
        Fault("one unit more", "permit2_amount_mismatch") { $0.amount = try #require($0.amount.adding(UInt256(1))) },
        Fault("a window that begins in a second", "permit2_not_yet_valid") { $0.validAfter = now + 1 },
        Fault("a deadline that is over", "permit2_deadline_expired") { $0.deadline = now - 1 },
        Fault("a deadline in 5 seconds", "permit2_deadline_expired") { $0.deadline = now + 5 },
        Fault("an entry that was never offered", "No matching payment requirements") {
            $0.accepted = $0.accepted.replacing("\"300000000000000\"", with: "\"299999999999999\"")
        },
    ]

    @Test(
        "a spoilt payment is refused with its reason and costs nothing", arguments: faults, Shop.Route.allCases)
    func spoilt(fault: Fault, route: Shop.Route) throws {
        let shop = try Shop()
        var draft = try shop.permit(route)
        try fault.spoil(&draft)
        let reply = try shop.pay(draft, route)
        #expect(reply.status == 402)
        #expect(try Challenge.read(reply.challengeSource).error == fault.reason)
        #expect(reply.settlement() == nil)
        #expect(shop.gateway.settlements.isEmpty)
        #expect(shop.held == Self.opening)
    }

    @Test("both ends of the window can settle: one that begins now, and a deadline with 6 seconds to go")
    func edges() throws {
        let shop = try Shop()
        var draft = try shop.permit(.permit2)
        draft.validAfter = Self.now
        draft.deadline = Self.now + 6
        #expect(try shop.pay(draft, .permit2).status == 200)
    }

    @Test("one signature is never both kinds of payment")
    func otherKind() throws {
        let shop = try Shop()
        var upto = try shop.permit(.upto)
        upto.facilitator = nil
        #expect(try shop.pay(upto, .upto).status == 400)
        var exact = try shop.permit(.permit2)
        exact.facilitator = SaleMethod.facilitator
        #expect(try shop.pay(exact, .permit2).status == 400)
        let transfer = try shop.payer.payload(try shop.draft())
        #expect(try shop.pay(payload: transfer, accepted: exact.accepted, .permit2).status == 400)
        let entry = try #require(try shop.challenge(Shop.body()).requirements.first)
        let permit = try shop.payer.payload(try shop.permit(.permit2), for: try shop.entry(.permit2))
        let header = PaymentHeader.version2(
            payload: permit, accepted: entry.raw, resource: nil, extensions: nil)
        #expect(shop.pay(header: header.value).status == 400)
        #expect(shop.gateway.settlements.isEmpty)
    }

    @Test("a used nonce pays for no other request, under no other signature and on no other route of Permit2")
    func usedNonce() throws {
        let shop = try Shop()
        var draft = try shop.permit(.permit2)
        #expect(try shop.pay(draft, .permit2).status == 200)
        let others = [
            try shop.pay(draft, .permit2, for: Shop.body("another prompt")),
            try shop.pay(try shop.permit(.upto), .upto),
        ]
        for reply in others {
            #expect(try Challenge.read(reply.challengeSource).error == "permit2_invalid_nonce")
        }
        draft.deadline -= 1
        let again = try shop.pay(draft, .permit2)
        #expect(try Challenge.read(again.challengeSource).error == "permit2_invalid_nonce")
        #expect(shop.gateway.settlements.count == 1)
        // The token of EIP-3009 keeps nonces of its own.
        #expect(try shop.pay(shop.draft(nonce: 1)).status == 200)
    }

    @Test(
        "members are all there and no more, numbers are texts",
        arguments: [
            ("\"amount\":\"300000000000000\"", "\"amount\":300000000000000"), ("\"deadline\":", "\"Deadline\":"),
            ("\"spender\":", "\"more\":\"1\",\"spender\":"), ("\"to\":", "\"more\":\"1\",\"to\":"),
            ("\"permitted\":{", "\"permitted\":{\"more\":\"1\","), ("permit2Authorization", "permit2authorization"),
        ])
    func strictPayload(text: String, replacement: String) throws {
        let shop = try Shop()
        let draft = try shop.permit(.upto)
        let payload = try shop.payer.payload(draft, for: try shop.entry(.upto))
        let spoilt = payload.replacing(text, with: replacement)
        #expect(spoilt != payload)
        #expect(try shop.pay(payload: spoilt, accepted: draft.accepted, .upto).status == 400)
        #expect(try shop.pay(payload: payload, accepted: draft.accepted, .upto).status == 200)
    }
}
