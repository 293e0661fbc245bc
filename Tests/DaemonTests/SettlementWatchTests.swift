import Chain
import Ethereum
import Ledger
import Payments
import Primitives
import TestSupport
import Testing
import X402

@testable import Daemon

@Suite("Questions about what payments moved")
struct SettlementWatchTests {
    private func probe(
        _ intent: PaymentIntent = .sample(1, scheme: "upto"), transaction: String? = nil
    ) throws -> SettlementProbe {
        let record = PaymentRecord(reserving: intent, at: .vectors)
        return try #require(
            SettlementProbe(
                record.after(.settled, at: .vectors, evidence: PaymentEvidence(transaction: transaction))))
    }

    @Test("the question is about the row's token, ends, nonce and maximum, through the proxy, in its closed window")
    func question() throws {
        let terms = PaymentIntent.sample(1, scheme: "upto").terms
        let hash = Bytes32.numbered(9)
        let made = try SettlementQuestion(probe(transaction: "\(hash)"))
        let question = try #require(made)
        #expect(question.route.token.checksummed == terms.asset && question.route.from.checksummed == terms.payer)
        #expect(question.route.to.checksummed == terms.payTo && question.nonce == terms.nonce)
        #expect(question.maximum == terms.amount && question.spender == UptoPermit2.proxy)
        #expect(question.window == terms.validAfter + 1...terms.validBefore - 1)
        #expect(question.transaction == hash)
    }

    @Test(
        "what a seller names that is no transaction is looked past",
        arguments: [
            "", "0x", "0xfeed", "feed", String(repeating: "f", count: 64), "0x" + String(repeating: "g", count: 64),
        ])
    func names(_ name: String) throws {
        let made = try SettlementQuestion(probe(transaction: name))
        #expect(try #require(made).transaction == nil)
    }

    @Test("payments of a fixed amount are not asked about, and windows that no second is in are no question")
    func others() throws {
        #expect(SettlementProbe(PaymentRecord(reserving: .sample(1), at: .vectors)) == nil)
        #expect(try SettlementQuestion(probe(.sample(1, validFor: -600, scheme: "upto"))) == nil)
        #expect(try SettlementQuestion(probe(.sample(1, validFor: -599, scheme: "upto"))) == nil)
        #expect(try SettlementQuestion(probe(.sample(1, validFor: -598, scheme: "upto"))) != nil)
    }
}
