import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@testable import Simulator

@Suite("What the gateway takes as a payment")
struct VerificationTests {
    @Test("a right payment is taken once, reported, and moves the money")
    func rightPayment() throws {
        let shop = try Shop()
        let draft = try shop.draft()
        let reply = try shop.pay(draft)
        #expect(reply.status == 200)
        let settlement = try #require(shop.gateway.settlements.first)
        #expect(settlement.payer == shop.payer.address)
        #expect(settlement.payTo == Shop.payTo)
        #expect(settlement.amount == UInt256(300))
        #expect(settlement.network == "eip155:42161")
        #expect(settlement.model == "simulator/light")
        let report = try #require(reply.settlement())
        #expect(report.success)
        #expect(report.network == "eip155:42161")
        #expect(
            report.transaction
                == Keccak256.hash(draft.transfer.nonce.bytes + shop.payer.address.bytes).description)
        #expect(shop.gateway.balance(of: shop.payer.address) == UInt256(999_999_700))
        #expect(shop.gateway.balance(of: Shop.payTo) == UInt256(300))
    }

    @Test("the second offer can be paid too, from its own token")
    func secondOffer() throws {
        let shop = try Shop()
        let entry = try #require(try shop.challenge(Shop.body()).requirements.last)
        let reply = try shop.pay(try shop.payer.draft(for: entry, at: shop.clock.now()))
        #expect(reply.settlement()?.network == "eip155:8453")
        #expect(shop.gateway.balance(of: shop.payer.address) == UInt256(1_000_000_000))
    }

    /// One way to spoil a payment, and the reason it gets.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let reason: String
        let spoil: @Sendable (inout Payer.Draft) -> Void

        init(_ name: String, _ reason: String, _ spoil: @escaping @Sendable (inout Payer.Draft) -> Void) {
            self.testDescription = name
            self.reason = reason
            self.spoil = spoil
        }
    }

    static let now: Int64 = 1_795_305_600
    static let prefix = "invalid_exact_evm_payload_"
    static let faults = [
        Fault("another payer's name", prefix + "signature") { $0.transfer = $0.transfer.with(from: Shop.payTo) },
        Fault("another token's domain", prefix + "signature") { $0.separator = $0.separator.inverted },
        Fault("another payee", prefix + "recipient_mismatch") { $0.transfer = $0.transfer.with(to: .zero) },
        Fault("one unit less", prefix + "authorization_value_mismatch") {
            $0.transfer = $0.transfer.with(value: UInt256(299))
        },
        Fault("one unit more", prefix + "authorization_value_mismatch") {
            $0.transfer = $0.transfer.with(value: UInt256(301))
        },
        Fault("a window that begins now", prefix + "authorization_valid_after") {
            $0.transfer = $0.transfer.with(validAfter: now)
        },
        Fault("a window that is over", prefix + "authorization_valid_before") {
            $0.transfer = $0.transfer.with(validBefore: now - 1)
        },
        Fault("a window that ends in 5 seconds", prefix + "authorization_valid_before") {
            $0.transfer = $0.transfer.with(validBefore: now + 5)
        },
        Fault("an entry that was never offered", "No matching payment requirements") {
            $0.accepted = $0.accepted.replacing("\"300\"", with: "\"299\"")
        },
        Fault("an amount turned into a number", "No matching payment requirements") {
            $0.accepted = $0.accepted.replacing("\"300\"", with: "300")
        },
        Fault("an entry with a member more", "No matching payment requirements") {
            $0.accepted = $0.accepted.replacing("\"amount\"", with: "\"more\":1,\"amount\"")
        },
        Fault("an extension that came back changed", "extension_echo_mismatch") {
            $0.extensions = Array(#"{"payment-identifier":{"info":{"required":true}}}"#.utf8)
        },
    ]

    @Test("a spoilt payment is refused with its reason and costs nothing", arguments: faults)
    func spoilt(fault: Fault) throws {
        let shop = try Shop()
        var draft = try shop.draft()
        fault.spoil(&draft)
        let reply = try shop.pay(draft)
        #expect(reply.status == 402)
        #expect(try reply.reason == fault.reason)
        #expect(reply.settlement() == nil)
        #expect(shop.gateway.settlements.isEmpty)
        #expect(shop.gateway.balance(of: shop.payer.address) == UInt256(1_000_000_000))
    }

    @Test("a window that ends in 6 seconds is long enough")
    func shortestWindow() throws {
        let shop = try Shop()
        var draft = try shop.draft()
        draft.transfer = draft.transfer.with(validAfter: Self.now - 1, validBefore: Self.now + 6)
        #expect(try shop.pay(draft).status == 200)
    }

    @Test("the order of an entry's members does not matter")
    func memberOrder() throws {
        let shop = try Shop()
        var draft = try shop.draft()
        let members = try #require(try JSONReader.read(draft.accepted).members)
        var text = JSONText()
        text.object { object in
            for member in members.reversed() { object.field(member.key, raw: draft.accepted[member.value.range]) }
        }
        draft.accepted = text.bytes
        #expect(try shop.pay(draft).status == 200)
    }

    @Test("the same payment for the same request is answered again and charged once, even after its window")
    func replay() throws {
        let shop = try Shop()
        let header = try shop.payer.header(try shop.draft())
        let first = shop.pay(header: header)
        shop.clock.advance(seconds: 3600)
        #expect(shop.pay(header: header) == first)
        #expect(shop.gateway.settlements.count == 1)
    }

    @Test("a used nonce pays for no other request and not under another signature")
    func usedNonce() throws {
        let shop = try Shop()
        var draft = try shop.draft()
        #expect(try shop.pay(draft).status == 200)
        let other = try shop.pay(draft, for: Shop.body("another prompt"))
        #expect(try other.reason == "invalid_exact_evm_nonce_already_used")
        draft.transfer = draft.transfer.with(validBefore: Self.now + 60)
        #expect(try shop.pay(draft).reason == "invalid_exact_evm_nonce_already_used")
        #expect(shop.gateway.settlements.count == 1)
    }

    @Test("a payer can spend all it has and not a unit more")
    func balance() throws {
        let shop = try Shop(initialBalance: UInt256(899))
        #expect(try shop.pay(shop.draft(nonce: 1)).status == 200)
        #expect(try shop.pay(shop.draft(nonce: 2)).status == 200)
        #expect(try shop.pay(shop.draft(nonce: 3)).reason == "invalid_exact_evm_insufficient_balance")
        #expect(shop.gateway.balance(of: shop.payer.address) == UInt256(299))
    }

    @Test("a payment identifier belongs to the first payment that carried it")
    func identifier() throws {
        let shop = try Shop()
        let body = Shop.body()
        let offered = try shop.challenge(body).extensions
        let echo = ExtensionEcho.object(
            for: offered, identifier: PaymentIdentifier("call_0123456789abcdef"), room: 3500)
        var first = try shop.draft(nonce: 1)
        first.extensions = echo
        var second = try shop.draft(nonce: 2)
        second.extensions = echo
        #expect(try shop.pay(first, for: body).status == 200)
        #expect(try shop.pay(first, for: body).status == 200)
        #expect(try shop.pay(second, for: body).status == 409)
        #expect(shop.gateway.settlements.count == 1)
    }

    static let garbage: [(name: String, header: String)] = [
        ("nothing", ""), ("no base64", "%%%%"), ("plain JSON", "{}"), ("base64url", "eyJ4-_=="),
        ("no padding", "e30"), ("an empty object", "e30="),
        ("an array", Base64.encode(Array("[]".utf8))),
        ("a null", Base64.encode(Array(#"{"x402Version":2,"payload":{},"accepted":{},"resource":null}"#.utf8))),
        ("an unknown member", Base64.encode(Array(#"{"x402Version":2,"payload":{},"accepted":{},"y":1}"#.utf8))),
        ("no payload", Base64.encode(Array(#"{"x402Version":2,"accepted":{}}"#.utf8))),
        ("too long", String(repeating: "A", count: 64 * 1024)),
    ]

    @Test("a header that is no payment is a bad request", arguments: garbage.map(\.header))
    func notAPayment(header: String) throws {
        let shop = try Shop()
        #expect(shop.pay(header: header).status == 400)
    }

    @Test(
        "numbers of the authorization have to be strings, and nothing may be left out or added",
        arguments: [
            ("\"value\":\"300\"", "\"value\":300"), ("\"value\":\"300\"", "\"value\":\"0300\""),
            ("\"validBefore\":", "\"extra\":\"1\",\"validBefore\":"), ("\"validAfter\":", "\"validafter\":"),
            ("\"nonce\":\"0x", "\"nonce\":\""), ("\"signature\":\"0x", "\"signature\":\"0x00"),
        ])
    func strictPayload(text: String, replacement: String) throws {
        let shop = try Shop()
        let draft = try shop.draft()
        let payload = try shop.payer.payload(draft).replacing(text, with: replacement)
        let header = PaymentHeader.version2(
            payload: payload, accepted: draft.accepted, resource: nil, extensions: nil)
        #expect(shop.pay(header: header.value).status == 400)
    }

    @Test("a signature with v below 27 is refused", arguments: ["00", "01"])
    func signatureForm(v: String) throws {
        let shop = try Shop()
        let draft = try shop.draft()
        let payload = try shop.payer.payload(draft)
        let root = try JSONReader.read(payload)
        let signature = try #require(root["signature"]?.string)
        let spoilt = payload.replacing(signature, with: signature.dropLast(2) + v)
        let header = PaymentHeader.version2(
            payload: spoilt, accepted: draft.accepted, resource: nil, extensions: nil)
        #expect(try shop.pay(header: header.value).reason == "invalid_exact_evm_payload_signature")
    }

    @Test("the upper twin of a signature is refused, though it recovers the payer")
    func upperTwin() throws {
        let shop = try Shop()
        let draft = try shop.draft()
        let digest = draft.transfer.digest(domainSeparator: draft.separator)
        let lower = try shop.payer.context.sign(digest: digest, key: shop.payer.key.span)
        let order = UInt256(
            high: 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe, low: 0xbaae_dce6_af48_a03b_bfd2_5e8c_d036_4141)
        let s = try #require(order.subtracting(UInt256(bigEndian: lower.s)))
        let upper = try #require(Signature(r: lower.r, s: s.bigEndianBytes, v: 55 - lower.v))
        #expect(shop.payer.context.recover(digest: digest, signature: upper) == shop.payer.address)
        let header = PaymentHeader.version2(
            payload: ExactAuthorization(transfer: draft.transfer, domainSeparator: draft.separator)
                .payload(signature: upper), accepted: draft.accepted, resource: nil,
            extensions: nil)
        #expect(try shop.pay(header: header.value).reason == "invalid_exact_evm_payload_signature")
    }

    @Test("a payment of the other version is refused")
    func otherVersion() throws {
        let shop = try Shop()
        let draft = try shop.draft()
        let header = PaymentHeader.version1(
            payload: try shop.payer.payload(draft), scheme: "exact", network: "eip155:42161")
        #expect(try shop.pay(header: header.value).reason == "invalid_x402_version")
    }
}

extension [UInt8] {
    /// The text with every occurrence of a piece replaced.
    func replacing(_ text: some StringProtocol, with replacement: some StringProtocol) -> [UInt8] {
        replacing(Array(text.utf8), with: Array(replacement.utf8))
    }
}
