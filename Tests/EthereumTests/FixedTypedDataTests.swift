import Ethereum
import Primitives
import TestSupport
import Testing

@Suite("Typed data of extensions")
struct FixedTypedDataTests {
    private func check(
        _ entry: JSONValue, separator: Bytes32, structHash: Bytes32, digest: Bytes32, typeHash: Bytes32, key: UInt8
    ) throws {
        #expect(typeHash.description == entry["typeHash"]?.string)
        #expect(separator.description == entry["domainSeparator"]?.string)
        #expect(structHash.description == entry["structHash"]?.string)
        #expect(digest.description == entry["digest"]?.string)
        let key = [UInt8](repeating: key, count: 32)
        let signature = try SignatureTests.context.get().sign(digest: digest, key: key.span)
        #expect(signature.hex == entry["signature"]?.string)
    }

    private func message(_ entry: JSONValue) throws -> Vectors.Row {
        Vectors.Row(description: "message", value: try #require(entry["message"]))
    }

    @Test("the SDK's permit is signed bit for bit")
    func permit() throws {
        let entry = try #require(Vectors.entry("eip2612-gas-sponsoring")["typedData"])
        let message = try message(entry)
        let permit = EIP2612Permit(
            owner: try #require(Address(hex: message.string("owner"))),
            spender: try #require(Address(hex: message.string("spender"))),
            value: try UInt256(decimal: message.string("value")),
            nonce: try UInt256(decimal: message.string("nonce")),
            deadline: try #require(UInt64(message.string("deadline"))))
        let domain = EIP712Domain(
            name: try #require(entry["domain"]?["name"]?.string), version: "2", chainID: 84_532,
            verifyingContract: try #require(entry["domain"]?["verifyingContract"]?.string.flatMap { Address(hex: $0) }))
        try check(
            entry, separator: domain.separator, structHash: permit.structHash,
            digest: permit.digest(domainSeparator: domain.separator), typeHash: EIP2612Permit.typeHash, key: 1)
    }

    @Test("an offer is signed bit for bit")
    func offer() throws {
        let entry = try #require(Vectors.entry("offer-receipt-eip712")["offer"])
        let message = try message(entry)
        let offer = X402Offer(
            version: 1, resourceURL: try message.string("resourceUrl"), scheme: try message.string("scheme"),
            network: try message.string("network"), asset: try message.string("asset"),
            payTo: try message.string("payTo"), amount: try message.string("amount"),
            validUntil: try #require(UInt64(message.string("validUntil"))))
        try check(
            entry, separator: X402Offer.domain.separator, structHash: offer.structHash, digest: offer.digest,
            typeHash: X402Offer.typeHash, key: 2)
    }

    @Test("a receipt is signed bit for bit")
    func receipt() throws {
        let entry = try #require(Vectors.entry("offer-receipt-eip712")["receipt"])
        let message = try message(entry)
        let receipt = X402Receipt(
            version: 1, network: try message.string("network"), resourceURL: try message.string("resourceUrl"),
            payer: try message.string("payer"), issuedAt: try #require(UInt64(message.string("issuedAt"))),
            transaction: try message.string("transaction"))
        try check(
            entry, separator: X402Receipt.domain.separator, structHash: receipt.structHash, digest: receipt.digest,
            typeHash: X402Receipt.typeHash, key: 2)
    }

    @Test("the type hashes are the published constants")
    func typeHashes() throws {
        let published = try Dictionary(
            uniqueKeysWithValues: Vectors.rows("typehashes").map { try ($0.string("name"), $0.string("typeHash")) })
        #expect(ContractlessDomain.typeHash.description == published["EIP712Domain3-no-contract"])
        #expect(EIP2612Permit.typeHash.description == published["Permit(EIP-2612)"])
        #expect(X402Offer.typeHash.description == published["Offer"])
        #expect(X402Receipt.typeHash.description == published["Receipt"])
    }
}
