import Ethereum
import Primitives
import TestSupport
import Testing

@Suite("Transactions")
struct TransactionTests {
    private let context: Secp256k1Context

    init() throws {
        context = try SignatureTests.context.get()
    }

    private func number(_ value: JSONValue?) throws -> UInt256 {
        try UInt256(decimal: try #require(value?.string ?? value?.numberText))
    }

    @Test("the SDK's type 2 transaction is made bit for bit")
    func approval() throws {
        let entry = try Vectors.entry("erc20-approval-gas-sponsoring")
        let fields = try #require(entry["transaction"])
        let raw = try #require(entry["raw"]?.string.flatMap { Hex.decode($0) })
        let token = try #require(fields["to"]?.string.flatMap { Address(hex: $0) })
        let permit2 = try #require(Address(hex: "0x000000000022D473030F116dDEE9F6B43aC78BA3"))
        #expect(Permit2.address == permit2)
        let made = Transaction(
            chainID: try #require(number(fields["chainId"]).uint64),
            nonce: try #require(number(fields["nonce"]).uint64),
            fee: .dynamic(
                maximum: try number(fields["maxFeePerGas"]), priority: try number(fields["maxPriorityFeePerGas"])),
            gasLimit: try #require(number(fields["gas"]).uint64), to: token, value: .zero,
            data: ERC20.approve(spender: permit2, amount: .max))
        let transaction = try #require(made)
        #expect(Hex.prefixed(transaction.data) == fields["data"]?.string)

        let signature = try context.sign(digest: transaction.signingHash, key: [UInt8](repeating: 1, count: 32).span)
        let signed = SignedTransaction(transaction, signature: signature)
        #expect(Hex.prefixed(signed.bytes) == entry["raw"]?.string)
        #expect(signed.hash.description == entry["transactionHash"]?.string)
        let signer = try #require(context.recover(digest: transaction.signingHash, signature: signature))
        #expect(signer.checksummed == entry["recovered"]?.string)

        guard case .list(let items) = try RLP(decoding: Array(raw.dropFirst())) else {
            Issue.record("the transaction is no list")
            return
        }
        #expect(items.count == 12 && items[8] == .list([]) && items[1] == .number(9) && items[5] == .bytes(token.bytes))
        #expect(RLP.list(items).encoded == Array(raw.dropFirst()))
    }

    @Test("the example of EIP-155 is made bit for bit")
    func legacy() throws {
        let made = Transaction(
            chainID: 1, nonce: 9, fee: .legacy(price: UInt256(20_000_000_000)), gasLimit: 21_000,
            to: try #require(Address([UInt8](repeating: 0x35, count: 20))), value: UInt256(1_000_000_000_000_000_000),
            data: [])
        let transaction = try #require(made)
        #expect(
            transaction.signingHash.description
                == "0xdaf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53")
        let signature = try context.sign(
            digest: transaction.signingHash, key: [UInt8](repeating: 0x46, count: 32).span)
        #expect(
            Hex.prefixed(transaction.serialized(with: signature))
                == "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7640000802"
                + "5a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb7"
                + "03304b3800ccf555c9f3dc64214b297fb1966a3b6d83")
    }

    @Test("reject- chains without a number that a signature can carry, and priority above the maximum")
    func impossible() throws {
        func make(_ chainID: UInt64, _ fee: Transaction.Fee = .legacy(price: .zero)) -> Transaction? {
            Transaction(chainID: chainID, nonce: 0, fee: fee, gasLimit: 1, to: .zero, value: .zero, data: [])
        }
        #expect(make(0) == nil && make(.max) == nil && make((.max - 36) / 2 + 1) == nil)
        #expect(make(1) != nil)
        let highest = try #require(make((.max - 36) / 2))
        let signature = try #require(Signature(r: .zero, s: .zero, v: 28))
        #expect(highest.serialized(with: signature).count > 9)
        #expect(make(1, .dynamic(maximum: UInt256(1), priority: UInt256(2))) == nil)
        #expect(make(1, .dynamic(maximum: UInt256(2), priority: UInt256(2))) != nil)
    }

    @Test(
        "calls of a token begin with their selectors",
        arguments: [
            ("approve(address,uint256)", ERC20.approve(spender: .zero, amount: .zero), 68),
            ("allowance(address,address)", ERC20.allowance(owner: .zero, spender: .zero), 68),
            ("balanceOf(address)", ERC20.balance(of: .zero), 36), ("decimals()", ERC20.decimals, 4),
            ("nonces(address)", ERC20.permitNonce(of: .zero), 36),
        ] as [(String, [UInt8], Int)])
    func selectors(signature: String, data: [UInt8], count: Int) {
        #expect(Array(data.prefix(4)) == Array(Keccak256.hash(signature).bytes.prefix(4)))
        #expect(data.count == count)
    }
}

@Suite("Recursive Length Prefix")
struct RLPTests {
    /// Items and their bytes, as the Yellow Paper and the wiki of Ethereum give them.
    static let pairs: [(RLP, String)] = [
        (.bytes([]), "80"), (.bytes([0]), "00"), (.bytes([0x0f]), "0f"), (.bytes([0x7f]), "7f"),
        (.bytes([0x80]), "8180"), (.bytes([4, 0]), "820400"), (.bytes(Array("dog".utf8)), "83646f67"),
        (.list([]), "c0"),
        (.list([.bytes(Array("cat".utf8)), .bytes(Array("dog".utf8))]), "c88363617483646f67"),
        (.list([.list([]), .list([.list([])]), .list([.list([]), .list([.list([])])])]), "c7c0c1c0c3c0c1c0"),
        (.number(UInt64(0)), "80"), (.number(UInt64(15)), "0f"), (.number(UInt64(1024)), "820400"),
        (.bytes([UInt8](repeating: 0x61, count: 55)), "b7" + String(repeating: "61", count: 55)),
        (.bytes([UInt8](repeating: 0x61, count: 56)), "b838" + String(repeating: "61", count: 56)),
        (.list([RLP](repeating: .bytes([0x80]), count: 28)), "f838" + String(repeating: "8180", count: 28)),
        (.bytes([UInt8](repeating: 0x61, count: 1024)), "b90400" + String(repeating: "61", count: 1024)),
    ]

    @Test("items are written in their canonical form and read back", arguments: 0..<pairs.count)
    func form(_ index: Int) throws {
        let (item, text) = Self.pairs[index]
        #expect(Hex.encode(item.encoded) == text)
        #expect(try RLP(decoding: item.encoded) == item)
    }

    @Test(
        "reject- what is not the one encoding of an item",
        arguments: [
            ("", .truncated), ("83646f", .truncated), ("b8", .truncated), ("b9ffff", .truncated),
            ("bfffffffffffffffff", .truncated), ("c883636174", .truncated), ("c283636174", .truncated),
            ("c0c0", .trailingBytes), ("0000", .trailingBytes), ("8100", .notCanonical), ("817f", .notCanonical),
            ("b801ff", .notCanonical), ("b90038" + String(repeating: "61", count: 56), .notCanonical),
            ("f800", .notCanonical), ("c9c8c7c6c5c4c3c2c1c0", .tooDeep),
        ] as [(String, RLP.DecodingError)])
    func rejected(text: String, error: RLP.DecodingError) throws {
        let bytes = try #require(Hex.decode(text))
        #expect(throws: error) { try RLP(decoding: bytes) }
    }

    @Test("reject- more items than are read")
    func items() {
        let many = RLP.list([RLP](repeating: .bytes([1]), count: 10_000)).encoded
        #expect(throws: RLP.DecodingError.tooManyItems) { try RLP(decoding: many) }
    }
}
