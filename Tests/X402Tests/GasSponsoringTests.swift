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

    /// The SDK's payment, as far as an approval depends on it.
    private func order(deadline: Int64 = 1_795_305_900) throws -> PaymentOrder {
        let address = try #require(Address(hex: Self.token))
        let token = try #require(
            Asset(
                network: "eip155:84532", address: address, symbol: "USDC", tokenSymbol: nil, decimals: 6,
                transfer: .eip3009, domainName: "USDC", domainVersion: "2", par: .cents(100)))
        return try PaymentOrder(
            extra: PaymentRequirement.Extra(), token: token, payer: VectorKey.payer.address,
            payTo: VectorKey.seller.address, amount: UInt256(10_000), validAfter: 0, validBefore: deadline + 1,
            nonce: .zero)
    }

    private func permit(nonce: UInt64 = 5) throws -> EIP2612Sponsoring {
        let order = try order()
        let permit = EIP2612Permit(
            owner: order.payer, spender: Permit2.address, value: order.amount, nonce: UInt256(nonce),
            deadline: SponsoredApproval.deadline(of: order))
        return try #require(EIP2612Sponsoring(permit, asset: order.token.address))
    }

    private func approval(
        fee: Transaction.Fee = .dynamic(maximum: UInt256(1_000_000_000), priority: UInt256(100_000_000)),
        nonce: UInt64 = 9, amount: UInt256 = .max, value: UInt256 = .zero
    ) throws -> ERC20ApprovalSponsoring? {
        let order = try order()
        let transaction = Transaction(
            chainID: order.token.chainID, nonce: nonce, fee: fee, gasLimit: ERC20ApprovalSponsoring.gasLimit,
            to: order.token.address, value: value, data: ERC20.approve(spender: Permit2.address, amount: amount))
        return ERC20ApprovalSponsoring(try #require(transaction), owner: order.payer)
    }

    /// What the books would hold, and what would leave with a signature.
    private func echo(
        _ approval: SponsoredApproval, to offered: [Challenge.Extension]
    ) throws -> (kept: [UInt8], sent: (Bytes32) throws -> [UInt8]) {
        let answer = try approval.answer(to: offered)
        let kept = try #require(
            ExtensionEcho.object(for: offered, identifier: nil, answer: answer, room: 3000))
        let read = try #require(SponsoredApproval(in: kept, for: order()))
        #expect(read == approval)
        return (kept, { try #require(read.completing(kept, signature: VectorKey.payer.sign($0))) })
    }

    @Test("the SDK's permit comes out of the SDK's challenge, bit for bit")
    func permitVector() throws {
        let entry = try Vectors.entry("eip2612-gas-sponsoring")
        let typedData = try #require(entry["typedData"])
        let sponsoring = try permit()
        #expect(sponsoring.permit.spender.checksummed == typedData["message"]?["spender"]?.string)
        let separator = try #require(
            typedData["domainSeparator"]?.string.flatMap { Hex.decode($0) }.flatMap { Bytes32($0) })
        let digest = sponsoring.permit.digest(domainSeparator: separator)
        #expect(digest.description == typedData["digest"]?.string)
        let (kept, sent) = try echo(.permit(sponsoring), to: offered(entry))
        let expected = entry["http"]?["paymentPayload"]?["extensions"]?.canonical
        #expect(try JSONValue.canonical(sent(digest)) == expected)
        // The books hold the same without the signature.
        #expect(try sent(digest).count == kept.count && JSONValue.canonical(kept) != expected)
    }

    @Test("the SDK's approval comes out of the SDK's challenge, bit for bit")
    func approvalVector() throws {
        let entry = try Vectors.entry("erc20-approval-gas-sponsoring")
        let raw = try #require(entry["raw"]?.string.flatMap { Hex.decode($0) })
        guard case .list(let fields) = try RLP(decoding: Array(raw.dropFirst())) else {
            Issue.record("no list")
            return
        }
        let fee = try Transaction.Fee.dynamic(
            maximum: #require(fields[3].word), priority: #require(fields[2].word))
        let nonce = try #require(fields[1].word?.uint64)
        let sponsoring = try #require(try approval(fee: fee, nonce: nonce))
        let (_, sent) = try echo(.transaction(sponsoring), to: offered(entry))
        #expect(
            try JSONValue.canonical(sent(sponsoring.transaction.signingHash))
                == entry["http"]?["paymentPayload"]?["extensions"]?.canonical)
    }

    @Test("the values of the seller's entry are kept byte for byte, and a missing version is added")
    func merge() throws {
        let theirs = #"{"erc20ApprovalGasSponsoring":{"z": 1.0,"info":{"description":"\u20ae"},"schema":{ }}}"#
        let text = String(
            decoding: try #require(try approval()).answer(to: extensions(theirs)).raw, as: UTF8.self)
        #expect(text.hasPrefix(#"{"z": 1.0,"info":{"description":"\u20ae","from":"0x1a642f0E"#))
        #expect(text.contains(#","signedTransaction":"0x02"#))
        #expect(text.hasSuffix(#"","version":"1"},"schema":{ }}"#))
    }

    @Test(
        "an approval in the books is read only for its own payment",
        arguments: ["\"10000\"", "\"deadline\":\"1795305900\"", "0x000000000022D473030F116dDEE9F6B43aC78BA3", "\"5\""])
    func altered(text: String) throws {
        let theirs = try extensions(#"{"eip2612GasSponsoring":{"info":{"version":"1"}}}"#)
        let kept = String(decoding: try echo(.permit(permit()), to: theirs).kept, as: UTF8.self)
        #expect(kept.contains(text))
        let other = kept.replacing(text, with: text.replacing("0", with: "1").replacing("\"5\"", with: "\"6\""))
        let read = SponsoredApproval(in: Array(other.utf8), for: try order())
        // The nonce is the only thing that the text decides.
        #expect((read != nil) == (text == "\"5\""))
        #expect(SponsoredApproval(in: Array(kept.utf8), for: try order(deadline: 1_795_305_901)) == nil)
    }

    @Test("reject- a transaction that does anything but approve Permit2 without a limit")
    func otherTransaction() throws {
        #expect(try approval() != nil)
        #expect(try approval(amount: UInt256(1)) == nil)
        #expect(try approval(value: UInt256(1)) == nil)
        #expect(try approval(fee: .legacy(price: UInt256(1))) == nil)
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
        #expect(throws: GasSponsoringProblem.unusableEntry) { try permit().answer(to: offered) }
        #expect(throws: GasSponsoringProblem.unusableEntry) { try approval()?.answer(to: offered) }
    }

    static let filled = [
        ("eip2612GasSponsoring", #"{"info":{"signature":""}}"#),
        ("eip2612GasSponsoring", #"{"info":{"signature":"\#(Signature.blank.hex)"}}"#),
        ("erc20ApprovalGasSponsoring", #"{"info":{"signedTransaction":"0x"}}"#),
    ]

    @Test(
        "reject- what only the payer can add and the seller has: it is neither completed nor echoed", arguments: filled)
    func filledBySeller(key: String, entry: String) throws {
        let offered = try extensions(#"{"\#(key)":\#(entry),"other":1}"#)
        #expect(throws: GasSponsoringProblem.self) { try permit().answer(to: offered) }
        #expect(throws: GasSponsoringProblem.self) { try approval()?.answer(to: offered) }
        let echo = ExtensionEcho.object(for: offered, identifier: nil, room: 3900)
        #expect(echo == Array(#"{"other":1}"#.utf8))
    }

    @Test("reject- sponsoring that is not offered")
    func notOffered() throws {
        let others = try extensions(#"{"eip2612gassponsoring":{"info":{}}}"#)
        #expect(throws: GasSponsoringProblem.notOffered) { try permit().answer(to: others) }
        #expect(throws: GasSponsoringProblem.notOffered) { try approval()?.answer(to: others) }
    }
}
