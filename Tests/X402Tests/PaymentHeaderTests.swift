import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@Suite("Payment headers")
struct PaymentHeaderTests {
    /// The vectors' payer signs, key 0x01 × 32.
    static func sign(_ digest: Bytes32) throws -> Signature {
        try Secp256k1Context(seed: SeededRandom(seed: 1).bytes32())
            .sign(digest: digest, key: [UInt8](repeating: 1, count: 32).span)
    }

    static func rows() throws -> [Vectors.Row] {
        try (Vectors.entries(prefix: "exact-eip3009-") + Vectors.entries(prefix: "v1-exact-"))
            .filter { $0.value["http"] != nil }
    }

    /// The scheme's payload over the vector's own window and nonce.
    private func payload(_ row: Vectors.Row) throws -> [UInt8] {
        let message = Vectors.Row(description: "", value: try #require(row.value["typedData"]?["message"]))
        let separator = try #require(
            row.value["typedData"]?["domainSeparator"]?.string.flatMap { Hex.decode($0) }.flatMap { Bytes32($0) })
        let authorization = ExactAuthorization(
            transfer: TransferWithAuthorization(
                from: try #require(Address(hex: message.string("from"))),
                to: try #require(Address(hex: message.string("to"))),
                value: try UInt256(decimal: message.string("value")),
                validAfter: try #require(UInt64(message.string("validAfter"))),
                validBefore: try #require(UInt64(message.string("validBefore"))),
                nonce: try #require(Bytes32(Hex.decode(message.string("nonce")) ?? []))),
            domainSeparator: separator)
        #expect(authorization.digest.description == row.value["typedData"]?["digest"]?.string)
        return authorization.payload(signature: try Self.sign(authorization.digest))
    }

    @Test("the SDK's payment comes out of the SDK's challenge", arguments: try rows())
    func vector(row: Vectors.Row) throws {
        let http = try #require(row.value["http"])
        let source = ChallengeSource(
            header: http["PAYMENT-REQUIRED"]?.string.map { Array($0.utf8) },
            body: http["body402"].map { Array($0.canonical.utf8) })
        let challenge = try Challenge.read(source)
        let chosen = try #require(challenge.requirements.first)
        let payload = try payload(row)
        let header = try #require(
            PaymentHeader.rebuild(
                version: challenge.version, payload: payload, accepted: chosen.raw,
                resource: challenge.resource,
                extensions: ExtensionEcho.object(
                    for: challenge.extensions, identifier: PaymentIdentifier("unused_unused_unused"), room: 4096)))
        #expect(header.name == (challenge.version == 1 ? "x-payment" : "payment-signature"))
        let sent = try JSONReader.read(#require(Base64.decodeLenient(header.value.utf8)))
        #expect(sent.canonical == http["paymentPayload"]?.canonical)
        let theirs = http["PAYMENT-SIGNATURE"]?.string ?? http["X-PAYMENT"]?.string
        let decoded = try #require(Base64.decodeLenient((theirs ?? "").utf8))
        #expect(try JSONValue.canonical(decoded) == sent.canonical)
    }

    @Test("a header is one line of padded standard base64")
    func alphabet() {
        let header = PaymentHeader.version2(
            payload: Array(#"{"a":"þÿ?>"}"#.utf8), accepted: Array("{}".utf8), resource: nil, extensions: nil)
        #expect(header.value.utf8.count.isMultiple(of: 4))
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
        #expect(header.value.allSatisfy { alphabet.contains($0) })
    }

    @Test("absent members are left out, never null")
    func absentMembers() throws {
        let header = PaymentHeader.version2(
            payload: Array(#"{"p":1}"#.utf8), accepted: Array(#"{"a": 1}"#.utf8), resource: nil, extensions: nil)
        let text = try #require(Base64.decodeLenient(header.value.utf8))
        #expect(
            String(decoding: text, as: UTF8.self) == #"{"x402Version":2,"payload":{"p":1},"accepted":{"a": 1}}"#)
    }

    @Test("the echo stands in the header byte for byte")
    func echo() throws {
        let accepted = Array(#"{ "amount":10000, "extra":{"name":"USD\u20ae0"} }"#.utf8)
        let resource = Array(#"{"url" : "https:\/\/x"}"#.utf8)
        let extensions = Array(#"{"k":{ }}"#.utf8)
        let header = PaymentHeader.version2(
            payload: Array("{}".utf8), accepted: accepted, resource: resource, extensions: extensions)
        let text = try #require(Base64.decodeLenient(header.value.utf8))
        let root = try JSONReader.read(text)
        #expect(Array(text[try #require(root["accepted"]).range]) == accepted)
        #expect(Array(text[try #require(root["resource"]).range]) == resource)
        #expect(Array(text[try #require(root["extensions"]).range]) == extensions)
    }

    @Test("version 1 repeats scheme and network as the seller spelled them")
    func version1() throws {
        let accepted = Array(#"{"scheme":"exact","network":"Base \"x\""}"#.utf8)
        let header = try #require(
            PaymentHeader.rebuild(
                version: 1, payload: Array("{}".utf8), accepted: accepted, resource: nil, extensions: nil))
        let root = try JSONReader.read(#require(Base64.decodeLenient(header.value.utf8)))
        #expect(root["network"]?.string == "Base \"x\"")
        #expect(root.members?.map(\.key) == ["x402Version", "scheme", "network", "payload"])
        #expect(
            PaymentHeader.rebuild(
                version: 1, payload: Array("{}".utf8), accepted: Array("{}".utf8), resource: nil, extensions: nil)
                == nil)
    }

    @Test("all numbers of a payload are decimal texts and the signature ends in 27 or 28")
    func payloadForm() throws {
        let row = try #require(try Self.rows().first)
        let payload = try JSONReader.read(payload(row))
        let authorization = try #require(payload["authorization"]?.members)
        #expect(authorization.map(\.key) == ["from", "to", "value", "validAfter", "validBefore", "nonce"])
        #expect(authorization.allSatisfy { $0.value.string != nil })
        let signature = try #require(payload["signature"]?.string)
        #expect(signature.utf8.count == 132)
        #expect(signature.hasSuffix("1b") || signature.hasSuffix("1c"))
    }
}
