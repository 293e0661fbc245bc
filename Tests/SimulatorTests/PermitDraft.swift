import Ethereum
import Policy
import Primitives
import TestSupport
import Testing
import X402

@testable import Simulator

/// A payment by Permit2, each value of which a test can spoil.
struct PermitDraft {
    var accepted: [UInt8]
    var token: Asset
    /// Who is said to pay.
    var payer: Address
    var payTo: Address
    var amount: UInt256
    /// The first second at which it can settle, and the last.
    var validAfter: Int64
    var deadline: Int64
    var nonce: Bytes32
    var spender: Address
    /// The account of an `upto` witness; nil for the witness of `exact`.
    var facilitator: Address?

    /// What is signed.
    ///
    /// Orders have open windows, Permit2 closed ones.
    func authorization(extra: PaymentRequirement.Extra) -> Permit2Authorization {
        let order = PaymentOrder(
            extra: extra, token: token, payer: payer, payTo: payTo, amount: amount, validAfter: validAfter - 1,
            validBefore: deadline + 1, nonce: nonce)
        return Permit2Authorization(of: order, spender: spender) { to, validAfter in
            guard let facilitator else { return .exact(to: to, validAfter: validAfter) }
            return .upto(to: to, facilitator: facilitator, validAfter: validAfter)
        }
    }
}

extension Payer {
    /// The `payload` object of a draft, signed by this payer whoever is said to pay.
    func payload(_ draft: PermitDraft, for entry: PaymentRequirement) throws -> [UInt8] {
        let authorization = draft.authorization(extra: entry.extra)
        return authorization.payload(signature: try context.sign(digest: authorization.digest, key: key.span))
    }
}

extension Shop {
    /// The routes that are paid by Permit2.
    enum Route: String, Sendable, CaseIterable {
        case permit2 = "/permit2/v1/chat/completions"
        case upto = "/upto/v1/chat/completions"
    }

    /// The token of both routes.
    static func tether() throws -> Asset {
        let token = try #require(Address(hex: "0x55d398326f99059fF775485246999027B3197955"))
        return try #require(try AssetTable.pinned().asset(network: "eip155:56", address: token))
    }

    /// The only entry of a route's challenge.
    func entry(_ route: Route, _ body: [UInt8] = body()) throws -> PaymentRequirement {
        let reply = gateway.reply(to: Self.request(body, path: route.rawValue))
        let requirements = try Challenge.read(reply.challengeSource).requirements
        #expect(requirements.count == 1)
        return try #require(requirements.first)
    }

    /// A right answer to a route's entry.
    func permit(_ route: Route, _ body: [UInt8] = body(), nonce: UInt64 = 1) throws -> PermitDraft {
        let entry = try entry(route, body)
        let now = clock.now().seconds
        return PermitDraft(
            accepted: entry.raw, token: try Self.tether(), payer: payer.address,
            payTo: try #require(Address(hex: entry.payTo)), amount: entry.amount, validAfter: now - 600,
            deadline: now + 120, nonce: Keccak256.hash(words: UInt256(nonce).bigEndianBytes),
            spender: route == .upto ? UptoPermit2.proxy : ExactPermit2.proxy,
            facilitator: route == .upto ? entry.extra[.facilitatorAddress].flatMap { Address(hex: $0) } : nil)
    }

    /// What a body gets on a route with this payment.
    func pay(_ draft: PermitDraft, _ route: Route, for body: [UInt8] = body()) throws -> GatewayReply {
        try pay(payload: payer.payload(draft, for: entry(route)), accepted: draft.accepted, route, for: body)
    }

    /// What a body gets on a route with this `payload` object.
    func pay(
        payload: [UInt8], accepted: [UInt8], _ route: Route, for body: [UInt8] = body()
    ) throws -> GatewayReply {
        var request = Self.request(body, path: route.rawValue)
        let header = PaymentHeader.version2(payload: payload, accepted: accepted, resource: nil, extensions: nil)
        request.paymentSignatures = [header.value]
        return gateway.reply(to: request)
    }

    /// What the payer holds of the token of both routes.
    var held: UInt256 { gateway.balance(of: payer.address, on: "eip155:56") }
}
