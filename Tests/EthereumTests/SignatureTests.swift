import Ethereum
import Primitives
import TestSupport
import Testing

@Suite("secp256k1 signatures")
struct SignatureTests {
    static let context = Result { try Secp256k1Context(seed: SeededRandom(seed: 1).bytes32()) }
    private let context: Secp256k1Context

    init() throws {
        self.context = try Self.context.get()
    }

    private static let developmentKey = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"

    @Test("a private key has its address", arguments: try Vectors.rows("keys"))
    func address(row: Vectors.Row) throws {
        let key = try #require(Hex.decode(row.string("privateKey")))
        #expect(try context.address(ofKey: key.span).checksummed == row.string("address"))
    }

    static func authorizationRows() throws -> [Vectors.Row] {
        try Vectors.entries(prefix: "exact-eip3009-") + Vectors.entries(prefix: "v1-exact-")
    }

    @Test("the SDK's authorizations are signed bit for bit", arguments: try authorizationRows())
    func authorization(row: Vectors.Row) throws {
        let typedData = try #require(row.value["typedData"])
        let members = Vectors.Row(description: row.description, value: typedData)
        let domain = try domain(#require(typedData["domain"]))
        let transfer = try transfer(#require(typedData["message"]))
        #expect(try domain.separator.description == members.string("domainSeparator"))
        #expect(try transfer.structHash.description == members.string("structHash"))
        let digest = transfer.digest(domainSeparator: domain.separator)
        #expect(try digest.description == members.string("digest"))

        let key = [UInt8](repeating: 1, count: 32)
        let signature = try context.sign(digest: digest, key: key.span)
        #expect(try signature.hex == members.string("signature"))
        #expect(signature.r.description == typedData["sigParts"]?["r"]?.string)
        #expect(signature.s.description == typedData["sigParts"]?["s"]?.string)
        #expect(Int64(signature.v) == typedData["sigParts"]?["v"]?.integer)
        #expect(context.recover(digest: digest, signature: signature) == transfer.from)
    }

    struct TetherCase: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let separator: String
        let digest: String
        let signature: String
    }

    static let tetherCases = [
        TetherCase(
            testDescription: "Arbitrum",
            separator: "0x566af68fb471b22d6421762f84aa7bd761c670a2e4d5c8a47d4085d5957b127c",
            digest: "0x3e4b9e559d173bd6d30c78390f45afb524eb1dab1897e9b48a8320f7d608a693",
            signature: "0x4301d93bef135c53c12087a0e10018fc28023f3802225335206150954c7ad634"
                + "430c52839a6b0cfe52345222134a9bc4d8f45881ae573ee5ade0b20314c9d17a1b"),
        TetherCase(
            testDescription: "X Layer",
            separator: "0xd591d9baf744328d9400b923cb02c9474d367d591ca1ab24d8c4068be527599d",
            digest: "0x4f99a2f8cc7691b9bf2500f0df08462afec4bb5f1eb69065c55409ce3601b8b5",
            signature: "0x1c0c5c22e2b18a16a4047f10d16d928dd54fd01f96166fc1ccb1986218a9c647"
                + "57ae31644094394035bbcfe4350a5399a7543ccb2c951b587e69e83e3c66d86f1c"),
        TetherCase(
            testDescription: "Celo",
            separator: "0xbcb4d62e4834b598d0eacecd84c0b397a0254e077c41cf2143e394d5701d1088",
            digest: "0xda742ac311f32bd4ed8fb3e0c435facaa8b730855a54e705329199bddbd4e025",
            signature: "0x3f5b2f5a8eba9c1b5207281882a042ce97fd8540d9fe5fb360f5f05e95e22157"
                + "184cfc7c4787c42fdac253e05ae73967ccd74d7eb81ab2cbf3610f017902db471b"),
    ]

    @Test("Tether authorizations are signed as eth-account signs them", arguments: tetherCases)
    func tether(row: TetherCase) throws {
        let key = try #require(Hex.decode(Self.developmentKey))
        let transfer = TransferWithAuthorization(
            from: try context.address(ofKey: key.span),
            to: try #require(Address(hex: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8")),
            value: UInt256(10_000), validAfter: 1_700_000_000, validBefore: 1_700_000_600,
            nonce: try #require(Bytes32(repeatElement(0x11, count: 32))))
        #expect(transfer.from.checksummed == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
        #expect(
            transfer.structHash.description == "0x5e4e8ccb0a5127856038fcf7c16c3274d06fe2e651fc8b6415c218a61784c28c")
        let separator = try #require(Hex.decode(row.separator).flatMap { Bytes32($0) })
        let digest = transfer.digest(domainSeparator: separator)
        #expect(digest.description == row.digest)
        #expect(try context.sign(digest: digest, key: key.span).hex == row.signature)
    }

    @Test("signatures are low-s, recover their signer, and do not depend on the blinding")
    func randomDigests() throws {
        let random = SeededRandom(seed: 7)
        let other = try Secp256k1Context(seed: random.bytes32())
        for _ in 0..<64 {
            let key = try random.bytes32().bytes
            let digest = try random.bytes32()
            let signature = try context.sign(digest: digest, key: key.span)
            #expect(signature.isLowS)
            #expect(try context.recover(digest: digest, signature: signature) == context.address(ofKey: key.span))
            #expect(try other.sign(digest: digest, key: key.span) == signature)
        }
    }

    static let invalidKeys: [[UInt8]] = [
        [], Array(repeating: 1, count: 31), Array(repeating: 1, count: 33), Array(repeating: 0, count: 32),
        Array(repeating: 0xff, count: 32),
    ]

    @Test("what is no private key is refused", arguments: invalidKeys)
    func invalidKey(key: [UInt8]) {
        #expect(throws: Secp256k1Error.invalidKey) { try context.address(ofKey: key.span) }
        #expect(throws: Secp256k1Error.invalidKey) { try context.sign(digest: .zero, key: key.span) }
    }

    @Test("65 bytes are read with v in either convention, and not otherwise")
    func parsing() throws {
        let signature = try context.sign(digest: .zero, key: [UInt8](repeating: 1, count: 32).span)
        var bytes = signature.bytes
        #expect(bytes.count == 65)
        #expect(Signature(bytes: bytes) == signature)
        bytes[64] -= 27
        #expect(Signature(bytes: bytes) == signature)
        for v: UInt8 in [2, 3, 26, 29, 255] {
            bytes[64] = v
            #expect(Signature(bytes: bytes) == nil)
        }
        #expect(Signature(bytes: signature.bytes.dropLast()) == nil)
        #expect(Signature(bytes: signature.bytes + [0]) == nil)
    }

    @Test("the upper twin of a signature is refused where low s is asked for")
    func highS() throws {
        let digest = Keccak256.hash("twin")
        let key = [UInt8](repeating: 1, count: 32)
        let signature = try context.sign(digest: digest, key: key.span)
        let order = UInt256(
            high: 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe, low: 0xbaae_dce6_af48_a03b_bfd2_5e8c_d036_4141)
        let upper = try #require(order.subtracting(UInt256(bigEndian: signature.s))).bigEndianBytes
        let twin = try #require(Signature(r: signature.r, s: upper, v: 55 - signature.v))
        #expect(!twin.isLowS)
        #expect(Signature(bytes: twin.bytes) == twin)
        #expect(Signature(bytes: twin.bytes, requiringLowS: true) == nil)
        #expect(Signature(bytes: signature.bytes, requiringLowS: true) == signature)
        #expect(try context.recover(digest: digest, signature: twin) == context.address(ofKey: key.span))
    }

    @Test("bytes that are no signature recover nobody")
    func unrecoverable() throws {
        let zero = try #require(Signature(r: .zero, s: .zero, v: 27))
        #expect(context.recover(digest: .zero, signature: zero) == nil)
        let ones = try #require(Bytes32(repeatElement(0xff, count: 32)))
        let large = try #require(Signature(r: ones, s: ones, v: 28))
        #expect(context.recover(digest: .zero, signature: large) == nil)
    }

    private func domain(_ value: JSONValue) throws -> EIP712Domain {
        EIP712Domain(
            name: try #require(value["name"]?.string), version: try #require(value["version"]?.string),
            chainID: UInt64(try #require(value["chainId"]?.integer)),
            verifyingContract: try #require(value["verifyingContract"]?.string.flatMap { Address(hex: $0) }))
    }

    private func transfer(_ value: JSONValue) throws -> TransferWithAuthorization {
        TransferWithAuthorization(
            from: try #require(value["from"]?.string.flatMap { Address(hex: $0) }),
            to: try #require(value["to"]?.string.flatMap { Address(hex: $0) }),
            value: try UInt256(decimal: #require(value["value"]?.string)),
            validAfter: try #require(value["validAfter"]?.string.flatMap { UInt64($0) }),
            validBefore: try #require(value["validBefore"]?.string.flatMap { UInt64($0) }),
            nonce: try #require(value["nonce"]?.string.flatMap { Hex.decode($0) }.flatMap { Bytes32($0) }))
    }
}
