import Ethereum
import Policy
import Primitives
import TestSupport
import Testing
import X402

@testable import Simulator

/// An account that signs payments, well or badly.
struct Payer {
    let context: Secp256k1Context
    let key: [UInt8]
    let address: Address

    init(seed: UInt64 = 1) throws {
        context = try Secp256k1Context(seed: Bytes32.zero)
        let key = Keccak256.hash("payer \(seed)").bytes
        self.key = key
        address = try context.address(ofKey: key.span)
    }

    /// The values of one payment, each of which a test can spoil.
    struct Draft {
        var accepted: [UInt8]
        var transfer: TransferWithAuthorization
        var separator: Bytes32
        var extensions: [UInt8]?
    }

    /// A right answer to an entry of a challenge.
    func draft(for entry: PaymentRequirement, at now: Timestamp, nonce: UInt64 = 1) throws -> Draft {
        let table = try AssetTable.pinned()
        let network = try #require(table.network(spelled: entry.network))
        let token = try #require(Address(hex: entry.asset))
        let asset = try #require(table.asset(network: network, address: token))
        let transfer = TransferWithAuthorization(
            from: address, to: try #require(Address(hex: entry.payTo)), value: entry.amount,
            validAfter: UInt64(now.seconds - 600), validBefore: UInt64(now.seconds + 120),
            nonce: Keccak256.hash(words: UInt256(nonce).bigEndianBytes))
        return Draft(
            accepted: entry.raw, transfer: transfer, separator: try #require(asset.domainSeparator))
    }

    /// The `payload` object of a draft.
    func payload(_ draft: Draft) throws -> [UInt8] {
        let authorization = ExactAuthorization(transfer: draft.transfer, domainSeparator: draft.separator)
        return authorization.payload(signature: try context.sign(digest: authorization.digest, key: key.span))
    }

    /// The header of version 2.
    func header(_ draft: Draft) throws -> String {
        PaymentHeader.version2(
            payload: try payload(draft), accepted: draft.accepted, resource: nil, extensions: draft.extensions
        ).value
    }
}

extension Bytes32 {
    /// Another value that differs in every byte.
    var inverted: Bytes32 { Bytes32(words: (~words.0, ~words.1, ~words.2, ~words.3)) }
}

extension TransferWithAuthorization {
    /// The same values but for those given.
    func with(
        from: Address? = nil, to: Address? = nil, value: UInt256? = nil, validAfter: Int64? = nil,
        validBefore: Int64? = nil
    ) -> TransferWithAuthorization {
        TransferWithAuthorization(
            from: from ?? self.from, to: to ?? self.to, value: value ?? self.value,
            validAfter: validAfter.map { UInt64($0) } ?? self.validAfter,
            validBefore: validBefore.map { UInt64($0) } ?? self.validBefore, nonce: nonce)
    }
}

/// A gateway without sockets, with a payer at hand.
struct Shop {
    static let payTo = Address(lastBytesOf: Keccak256.hash("seller"))

    let clock = FixedClock()
    let gateway: Gateway
    let payer: Payer

    init(
        initialBalance: UInt256 = UInt256(1_000_000_000), upto: UptoSettlement = UptoSettlement()
    ) throws {
        payer = try Payer()
        gateway = Gateway(
            options: SimulatorOptions(payTo: Self.payTo, initialBalance: initialBalance, upto: upto),
            tenders: try GatewaySimulator.tenders(), verifier: Verifier(context: payer.context), clock: clock)
    }

    static func body(_ prompt: String = "hello", model: String = "auto", stream: Bool = false) -> [UInt8] {
        var text = JSONText()
        text.object { root in
            root.field("model", model)
            if stream { root.field("stream", true) }
            root.array("messages") { messages in
                messages.object { message in
                    message.field("role", "user")
                    message.field("content", prompt)
                }
            }
        }
        return text.bytes
    }

    static func request(
        _ body: [UInt8], path: String = "/v1/chat/completions", method: String = "POST"
    ) -> GatewayRequest {
        GatewayRequest(method: method, path: path, origin: "http://127.0.0.1:8402", body: body)
    }

    /// The challenge that a body gets.
    func challenge(_ body: [UInt8]) throws -> Challenge {
        let reply = gateway.reply(to: Self.request(body))
        return try Challenge.read(reply.challengeSource)
    }

    /// A right answer to the first entry for a body.
    func draft(_ body: [UInt8] = body(), nonce: UInt64 = 1) throws -> Payer.Draft {
        let entry = try #require(try challenge(body).requirements.first)
        return try payer.draft(for: entry, at: clock.now(), nonce: nonce)
    }

    /// What a body with a payment header gets.
    func pay(header: String, for body: [UInt8] = body()) -> GatewayReply {
        var request = Self.request(body)
        request.paymentSignatures = [header]
        return gateway.reply(to: request)
    }

    func pay(_ draft: Payer.Draft, for body: [UInt8] = body()) throws -> GatewayReply {
        pay(header: try payer.header(draft), for: body)
    }
}

extension GatewayReply {
    var challengeSource: ChallengeSource {
        ChallengeSource(header: field("PAYMENT-REQUIRED").map { Array($0.utf8) }, body: text)
    }

    /// The body when it is one document.
    var text: [UInt8]? {
        if case .document(let text) = body { text } else { nil }
    }

    /// The settlement that the reply reports.
    func settlement(_ name: String = "PAYMENT-RESPONSE") -> SettlementReport? {
        field(name).flatMap { SettlementReport.read(header: Array($0.utf8)) }
    }

    /// The reason in the challenge of a refusal.
    var reason: String? {
        get throws { try Challenge.read(challengeSource).error }
    }
}
