import Daemon
import Ledger
import Policy
import Primitives
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct OperatorTests {
    @Test("a user is named as the system names it, or by its number")
    func names() {
        #expect(Operator.name(ofUser: 0) == "user:root")
        #expect(Operator.name(ofUser: 3_999_999_999) == "uid:3999999999")
        #expect(Operator.name == Operator.name(ofUser: geteuid()))
    }

    @Test("tokens are found by symbol and by address, and shown by what tells them apart")
    func tokens() throws {
        let tokens = TokenNames(try AssetTable.pinned())
        let name = "eip155:42161/0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9"
        for text in ["eip155:42161/USDT", name, name.lowercased()] { #expect(try tokens.token(text).name == name) }
        #expect(tokens.label(of: name) == "eip155:42161/USDT")
        #expect(tokens.label(of: "eip155:1/0x12") == "eip155:1/0x12")
        #expect(tokens.text(of: UInt256(2_500_000), in: name) == "2.5 USDT")
        #expect(tokens.text(of: UInt256(7), in: "eip155:1/0x12") == "7 units of eip155:1/0x12")
        #expect(tokens.text(of: UInt256(7), in: MeteredCall.asset) == "7 calls")
        for text in ["USDT", "eip155:42161/", "eip155:42161/NONE"] {
            #expect(throws: OperatorMistake.self) { try tokens.token(text) }
        }
    }

    @Test("exposure adds up what is open, by agent and token, with its last moment")
    func exposure() {
        let records = [(1, "scout", 300), (2, "clerk", 400), (3, "scout", 200)].map { number, agent, end in
            let intent = PaymentIntent.sample(UInt64(number), agent: agent, value: .cents(5), validFor: Int64(end))
            return PaymentRecord(reserving: intent, at: .vectors)
        }
        let settled = records[1].after(.settled, at: .vectors, evidence: PaymentEvidence())
        let sums = Exposure.sums(of: records + [settled])
        #expect(sums.map(\.agent) == ["clerk", "scout"])
        #expect(sums.map(\.count) == [1, 2])
        #expect(sums.map(\.units) == [UInt256(50_000), UInt256(100_000)])
        #expect(sums.map(\.value) == [.cents(5), .cents(10)])
        #expect(sums.map { $0.until - Timestamp.vectors.seconds } == [400, 300])
    }
}
