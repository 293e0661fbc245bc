import Ethereum
import Primitives
import TestSupport
import Testing
import X402

@Suite("Extension echoes")
struct ExtensionEchoTests {
    private static let identifier = PaymentIdentifier("pay_0123456789abcdef")

    /// The bytes of JSON in the longest line of version 2.
    private static let jsonBytes = (PaymentEcho.maximumLineBytes - "payment-signature: ".utf8.count) / 4 * 3

    private func echo(
        _ extensions: [(String, String)], answer: ExtensionAnswer? = nil, envelopeBytes: Int = 600
    ) -> String? {
        let offered = extensions.map { Challenge.Extension(key: $0.0, raw: Array($0.1.utf8), isRequired: false) }
        let object = ExtensionEcho.object(
            for: offered, identifier: Self.identifier, answer: answer, room: Self.jsonBytes - envelopeBytes - 14)
        return object.map { String(decoding: $0, as: UTF8.self) }
    }

    private func text(_ count: Int) -> String { "\"" + String(repeating: "x", count: count - 2) + "\"" }

    @Test("nothing offered, nothing echoed")
    func nothing() {
        #expect(echo([]) == nil)
    }

    @Test("order and bytes are kept")
    func verbatim() {
        #expect(echo([("b", #"{"x": 1.50}"#), ("a", #""\u20ae""#)]) == #"{"b":{"x": 1.50},"a":"\u20ae"}"#)
        #expect(echo([("a\"b", "1")]) == #"{"a\"b":1}"#)
    }

    @Test("what is too long goes: the catalogue, then offers, then the unknown from the longest, the identifier last")
    func order() {
        let identifier = ("payment-identifier", #"{"info":{}}"#)
        let own = #""payment-identifier":{"info":{"id":"pay_0123456789abcdef"}}"#
        let (long, longer) = (text(2200), text(2400))
        #expect(
            echo([("bazaar", long), ("offer-receipt", long), ("other", "1"), identifier])
                == #"{"offer-receipt":\#(long),"other":1,\#(own)}"#)
        #expect(
            echo([("other", long), ("offer-receipt", long), ("bazaar", "1"), identifier])
                == #"{"other":\#(long),\#(own)}"#)
        #expect(
            echo([("one", long), ("two", longer), identifier, ("three", "3")]) == #"{"one":\#(long),\#(own),"three":3}"#
        )
        #expect(echo([("other", text(9000)), identifier]) == "{\(own)}")
        #expect(echo([("other", text(9000))]) == nil)
        #expect(echo([("other", "1"), identifier], envelopeBytes: Self.jsonBytes - 14 - 30) == nil)
    }

    @Test("the room is what the rest of the header leaves, to the byte", arguments: [0, 1, 700, 2000, 4000, 4500])
    func room(resourceBytes: Int) throws {
        let payload = Array(#"{"p":1}"#.utf8)
        let accepted = Array(#"{"a":1}"#.utf8)
        let resource = resourceBytes == 0 ? nil : Array(text(resourceBytes + 2).utf8)
        let envelope = PaymentHeader.envelopeBytes(
            payloadBytes: payload.count, accepted: accepted, resource: resource)
        func header(_ extensions: String?) -> PaymentHeader {
            PaymentHeader.version2(
                payload: payload, accepted: accepted, resource: resource, extensions: extensions.map { Array($0.utf8) })
        }
        #expect(header(nil).value.utf8.count == (envelope + 2) / 3 * 4)
        // `,"extensions":{"k":…}` is 20 bytes around the value.
        let fitting = Self.jsonBytes - envelope - 20
        guard fitting >= 2 else {
            #expect(echo([("k", "{}")], envelopeBytes: envelope) == nil)
            return
        }
        let most = try #require(echo([("k", text(fitting))], envelopeBytes: envelope))
        let line = "payment-signature: \(header(most).value)"
        #expect((PaymentEcho.maximumLineBytes - 3...PaymentEcho.maximumLineBytes).contains(line.utf8.count))
        #expect(echo([("k", text(fitting + 1))], envelopeBytes: envelope) == nil)
    }

    @Test("a payload has the length before it is signed that it has afterwards")
    func payloadLength() throws {
        let transfer = TransferWithAuthorization(
            from: try VectorKey.payer.address, to: try VectorKey.seller.address, value: .max, validAfter: 0,
            validBefore: 1_795_305_660, nonce: .zero)
        let authorization = ExactAuthorization(transfer: transfer, domainSeparator: .zero)
        let signature = try VectorKey.payer.sign(authorization.digest)
        #expect(authorization.payload(signature: signature).count == authorization.payload(signature: .blank).count)
        #expect(try VectorKey.context.get().recover(digest: authorization.digest, signature: .blank) == nil)
    }

    @Test("what goes with the payment stands in the seller's place and stays, however little room there is")
    func signed() throws {
        let offered = [
            ("x", text(500)), ("erc20ApprovalGasSponsoring", #"{"info":{"version":"1"}}"#), ("bazaar", "{}"),
        ]
        let transaction = try #require(
            Transaction(
                chainID: 1, nonce: 0, fee: .dynamic(maximum: UInt256(1), priority: .zero), gasLimit: 70_000,
                to: VectorKey.seller.address, value: .zero,
                data: ERC20.approve(spender: Permit2.address, amount: .max)))
        let approval = try #require(ERC20ApprovalSponsoring(transaction, owner: VectorKey.payer.address))
        let entry = try approval.answer(
            to: offered.map { Challenge.Extension(key: $0.0, raw: Array($0.1.utf8), isRequired: false) })
        let own = "\"\(entry.key)\":" + String(decoding: entry.raw, as: UTF8.self)
        #expect(echo(offered, answer: entry) == "{\"x\":\(text(500)),\(own),\"bazaar\":{}}")
        #expect(echo(offered, answer: entry, envelopeBytes: 100_000) == "{\(own)}")
    }

    @Test("a sponsoring that was not signed for is an extension like any other")
    func unsigned() {
        let offered = [("eip2612GasSponsoring", #"{"info":{"version":"1"}}"#)]
        #expect(echo(offered) == #"{"eip2612GasSponsoring":{"info":{"version":"1"}}}"#)
        #expect(echo(offered, envelopeBytes: 100_000) == nil)
    }

    @Test("thousands of extensions cost no more than a sort")
    func many() throws {
        let offered = (0..<8000).map { ("k\($0)", "1") }
        let sent = try #require(echo(offered))
        #expect(sent.utf8.count <= Self.jsonBytes - 600 - 14)
        #expect(sent.utf8.count > Self.jsonBytes - 600 - 14 - 10)
    }
}
