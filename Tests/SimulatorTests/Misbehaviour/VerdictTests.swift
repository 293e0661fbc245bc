import Ethereum
import Policy
import Primitives
import TestSupport
import Testing
import X402

@testable import Simulator

@Suite("Verdicts of the evil merchant")
struct VerdictTests {
    private let desk: MerchantDesk
    private let payer: Payer
    private let now = FixedClock().now()
    private let place = MerchantPlace(home: 8403, elsewhere: 8404)

    init() throws {
        payer = try Payer()
        let reader = AuthorizationReader(table: try AssetTable.pinned(), context: payer.context)
        desk = try MerchantDesk(
            scripts: Misbehaviour.all, suite: CaseDescription.suite(), reader: reader, clock: FixedClock())
    }

    @discardableResult
    private func visit(
        _ name: String, _ fields: [(String, String)] = [], isElsewhere: Bool = false
    ) -> ScriptedAnswer {
        let request = MerchantRequest(
            method: "GET", path: "/evil/\(name)", fields: fields.map { .init(name: $0.0, value: $0.1) })
        return desk.answer(request, isElsewhere: isElsewhere, at: place)
    }

    /// A payment for the usual terms, spoilt as a test likes.
    private func payment(
        nonce: UInt64 = 1, extensions: String? = nil, spoil: (inout Payer.Draft) throws -> Void = { _ in }
    ) throws -> [(String, String)] {
        let json = Array(ScriptedEntry.usdt.json.utf8)
        let entry = try PaymentRequirement.read(try JSONReader.read(json), in: json)
        var draft = try payer.draft(for: entry, at: now, nonce: nonce)
        draft.extensions = extensions.map { Array($0.utf8) }
        try spoil(&draft)
        return [("payment-signature", try payer.header(draft))]
    }

    private func fault(_ name: String) throws -> String? {
        try #require(desk.verdict(on: name)).fault
    }

    @Test("one payment for the stated terms passes where one is expected, and fails where none is")
    func onePayment() throws {
        #expect(try fault("paid-500") == "the case was not visited")
        visit("paid-500")
        #expect(try fault("paid-500") == "no authorization came")
        visit("paid-500", try payment())
        #expect(try fault("paid-500") == nil)
        visit("payee-zero")
        #expect(try fault("payee-zero") == nil)
        visit("payee-zero", try payment())
        #expect(try fault("payee-zero") == "1 payments came, and none should")
    }

    @Test("the same bytes once more pass; a third time, or another nonce, fails")
    func repetition() throws {
        visit("paid-hang")
        let payment = try payment()
        for _ in 0..<2 { visit("paid-hang", payment) }
        #expect(try fault("paid-hang") == nil)
        visit("paid-hang", payment)
        #expect(try fault("paid-hang") == "the same bytes came 3 times, and at most 2 should")
        visit("endless-challenges")
        visit("endless-challenges", payment)
        visit("endless-challenges", try self.payment(nonce: 2))
        #expect(try fault("endless-challenges") == "2 different authorizations came, and 1 should")
        desk.reset()
        #expect(try fault("paid-hang") == "the case was not visited")
    }

    @Test("another payee, amount, token or signer, and a window that ends too late, fail")
    func terms() throws {
        func verdict(_ spoil: (inout TransferWithAuthorization) -> Void) throws -> String? {
            desk.reset()
            visit("paid-500")
            visit("paid-500", try payment { spoil(&$0.transfer) })
            return try fault("paid-500")
        }
        func transfer(
            _ old: TransferWithAuthorization, from: Address? = nil, to: Address? = nil, value: UInt64 = 10_000,
            validBefore: UInt64? = nil
        ) -> TransferWithAuthorization {
            TransferWithAuthorization(
                from: from ?? old.from, to: to ?? old.to, value: UInt256(value), validAfter: old.validAfter,
                validBefore: validBefore ?? old.validBefore, nonce: old.nonce)
        }
        let stranger = try #require(Address(hex: ScriptedEntry.stranger))
        #expect(try verdict { $0 = transfer($0) } == nil)
        #expect(try verdict { $0 = transfer($0, to: stranger) }?.contains("an authorization pays") == true)
        #expect(try verdict { $0 = transfer($0, value: 20_000) } == "an authorization is over 20000, not 10000")
        #expect(try verdict { $0 = transfer($0, from: stranger) }?.contains("is not signed by its payer") == true)
        let late = UInt64(now.seconds + 4000)
        #expect(try verdict { $0 = transfer($0, validBefore: late) }?.contains("is valid until") == true)
        desk.reset()
        visit("paid-500", try payment { $0.separator = .numbered(1) })
        #expect(try fault("paid-500")?.contains("is not signed by its payer") == true)
        desk.reset()
        visit("paid-500", [("x-payment", "nonsense")])
        #expect(try fault("paid-500") == "an authorization could not be read")
    }

    @Test("a payment at another origin, two headers in one request, and a statement of who pays fail")
    func leaks() throws {
        visit("paid-redirected-elsewhere")
        visit("paid-redirected-elsewhere", try payment())
        #expect(try fault("paid-redirected-elsewhere") == nil)
        visit("paid-redirected-elsewhere", try payment(), isElsewhere: true)
        #expect(
            try fault("paid-redirected-elsewhere") == "an authorization followed a redirect to another origin")
        let payment = try payment()
        visit("both-versions-at-once", payment + payment.map { ("x-payment", $0.1) })
        #expect(try fault("both-versions-at-once") == "a request carried two payment headers")
        visit("sign-in-for-another-domain", payment + [("sign-in-with-x", "e30=")])
        #expect(try fault("sign-in-for-another-domain") == "a signed statement of who the payer is left")
    }

    @Test("a required payment identifier has to be there")
    func identifier() throws {
        visit("identifier-required", try payment())
        #expect(try fault("identifier-required")?.contains("lacks the payment identifier") == true)
        desk.reset()
        let text = #"{"payment-identifier":{"info":{"required":true,"id":"pay_0123456789abcdef"},"schema":{}}}"#
        visit("identifier-required", try payment(extensions: text))
        #expect(try fault("identifier-required") == nil)
    }

    @Test("the merchant learns its payer from the first authorization")
    func learning() throws {
        visit("payee-is-the-payer", try payment())
        let answer = visit("payee-is-the-payer")
        let line = String(decoding: answer.bytes, as: UTF8.self).split(separator: "\r\n")
            .first { $0.hasPrefix("PAYMENT-REQUIRED: ") }
        let header = Array(try #require(line).dropFirst(18).utf8)
        let challenge = try Challenge.read(ChallengeSource(header: header, body: nil))
        #expect(challenge.requirements.map(\.payTo) == [payer.address.checksummed])
    }
}
