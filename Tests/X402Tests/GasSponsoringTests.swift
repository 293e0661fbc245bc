import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@Suite("Gas sponsoring")
struct GasSponsoringTests {
    private static let token = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"

    private func offered(_ entry: JSONValue) throws -> [Challenge.Extension] {
        let header = try #require(entry["http"]?["PAYMENT-REQUIRED"]?.string)
        return try Challenge.read(ChallengeSource(header: Array(header.utf8), body: nil)).extensions
    }

    private func permit(_ offered: [Challenge.Extension]) throws -> EIP2612Sponsoring {
        try EIP2612Sponsoring(
            of: offered, owner: VectorKey.payer.address, asset: #require(Address(hex: Self.token)),
            amount: UInt256(10_000), nonce: UInt256(5), deadline: 1_795_305_900)
    }

    private func approval(
        _ offered: [Challenge.Extension], transaction: [UInt8] = [2, 0xc0]
    ) throws -> SignedExtension {
        try ERC20ApprovalSponsoring.entry(
            of: offered, from: VectorKey.payer.address, asset: #require(Address(hex: Self.token)),
            signedTransaction: transaction)
    }

    @Test("the SDK's permit comes out of the SDK's challenge, bit for bit")
    func permitVector() throws {
        let entry = try Vectors.entry("eip2612-gas-sponsoring")
        let typedData = try #require(entry["typedData"])
        let offered = try offered(entry)
        let sponsoring = try permit(offered)
        #expect(sponsoring.permit.spender.checksummed == typedData["message"]?["spender"]?.string)
        let separator = try #require(
            typedData["domainSeparator"]?.string.flatMap { Hex.decode($0) }.flatMap { Bytes32($0) })
        let digest = sponsoring.digest(domainSeparator: separator)
        #expect(digest.description == typedData["digest"]?.string)
        let signature = try VectorKey.payer.sign(digest)
        #expect(signature.hex == typedData["signature"]?.string)
        let echo = try ExtensionEcho.object(
            for: offered, identifier: nil, signed: [sponsoring.entry(signature: signature)], envelopeBytes: 1500)
        #expect(
            try JSONValue.canonical(#require(echo)) == entry["http"]?["paymentPayload"]?["extensions"]?.canonical)
    }

    @Test("the SDK's approval comes out of the SDK's challenge")
    func approvalVector() throws {
        let entry = try Vectors.entry("erc20-approval-gas-sponsoring")
        let offered = try offered(entry)
        let raw = try #require(entry["raw"]?.string.flatMap { Hex.decode($0) })
        let echo = try ExtensionEcho.object(
            for: offered, identifier: nil, signed: [approval(offered, transaction: raw)], envelopeBytes: 1500)
        #expect(
            try JSONValue.canonical(#require(echo)) == entry["http"]?["paymentPayload"]?["extensions"]?.canonical)
    }

    @Test("the values of the seller's entry are kept byte for byte, and a missing version is added")
    func merge() throws {
        let theirs = #"{"erc20ApprovalGasSponsoring":{"z": 1.0,"info":{"description":"\u20ae"},"schema":{ }}}"#
        let text = String(decoding: try approval(extensions(theirs)).raw, as: UTF8.self)
        #expect(text.hasPrefix(#"{"z":1.0,"info":{"description":"\u20ae","from":"0x1a642f0E"#))
        #expect(text.hasSuffix(#","signedTransaction":"0x02c0","version":"1"},"schema":{ }}"#))
    }

    static let unusable = [
        "7", "[]", "{}", #"{"info":[]}"#, #"{"info":{"version":"2"}}"#, #"{"info":{"version":1}}"#,
        #"{"info":{"spender":"0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9c"}}"#, #"{"info":{"amount":"1"}}"#,
        #"{"info":{"from":""}}"#, #"{"info":{"asset":{}}}"#,
        #"{"info":{},"x":"\#(String(repeating: "x", count: ExtensionEntry.maximumBytes))"}"#,
    ]

    @Test("reject- an entry that would change what is signed, or cannot take it", arguments: unusable)
    func unusableEntry(text: String) throws {
        let offered = try extensions(#"{"eip2612GasSponsoring":\#(text),"erc20ApprovalGasSponsoring":\#(text)}"#)
        #expect(throws: GasSponsoringProblem.unusableEntry) { try permit(offered) }
        #expect(throws: GasSponsoringProblem.unusableEntry) { try approval(offered) }
    }

    @Test("reject- a signature that the seller has set, though it is empty")
    func presetSignature() throws {
        let sponsoring = try permit(extensions(#"{"eip2612GasSponsoring":{"info":{"signature":""}}}"#))
        let signature = try VectorKey.payer.sign(.zero)
        #expect(throws: GasSponsoringProblem.unusableEntry) { try sponsoring.entry(signature: signature) }
    }

    @Test("reject- sponsoring that is not offered")
    func notOffered() throws {
        let others = try extensions(#"{"eip2612gassponsoring":{"info":{}}}"#)
        #expect(throws: GasSponsoringProblem.notOffered) { try permit(others) }
        #expect(throws: GasSponsoringProblem.notOffered) { try approval(others) }
    }

    @Test(
        "reject- bytes that are no type-2 transaction",
        arguments: [[], [1, 2], [0xf8], [2] + Array(repeating: 0, count: 512)])
    func notATransaction(bytes: [UInt8]) throws {
        let offered = try extensions(#"{"erc20ApprovalGasSponsoring":{"info":{}}}"#)
        #expect(throws: GasSponsoringProblem.notATransaction) { try approval(offered, transaction: bytes) }
    }
}
