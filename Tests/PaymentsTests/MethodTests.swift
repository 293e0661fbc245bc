import Ethereum
import Ledger
import Policy
import Primitives
import TestSupport
import Testing
import X402

@testable import Payments

@Suite("Payments by other methods than the default")
struct MethodTests {
    private static let facilitator = "0x3325a78425F17a7E487Eb5666b2bFd93aBb06c70"

    /// A challenge for a cent of USDT on BNB Chain.
    private static func bnb(scheme: String, extra: String, amount: String = "10000000000000000") -> ChallengeSource {
        let document =
            #"{"x402Version":2,"accepts":[{"scheme":"\#(scheme)","network":"bsc","#
            + #""asset":"0x55d398326f99059fF775485246999027B3197955","amount":"\#(amount)","#
            + #""payTo":"\#(seller)","maxTimeoutSeconds":60,"extra":{\#(extra)}}]}"#
        return ChallengeSource(header: Array(document.utf8), body: nil)
    }

    static let sources: [(String, ChallengeSource)] = [
        ("exact-permit2", bnb(scheme: "exact", extra: #""assetTransferMethod":"permit2","decimals":18"#)),
        ("upto-permit2", bnb(scheme: "upto", extra: #""facilitatorAddress":"\#(facilitator)""#)),
    ]

    private func desk() async throws -> Desk { try await Desk(rules: ["eip155:56/USDT"]) }

    /// The digest that a sent payload is a signature over, from the payload alone.
    private func digest(of payload: JSONValue) throws -> Bytes32 {
        let sent = try #require(payload["permit2Authorization"])
        func address(_ value: JSONValue?) throws -> Address { try #require(Address(hex: value?.string ?? "")) }
        func seconds(_ value: JSONValue?) throws -> UInt64 { try #require(UInt64(value?.string ?? "")) }
        let (to, start) = try (address(sent["witness"]?["to"]), seconds(sent["witness"]?["validAfter"]))
        var witness = PermitWitnessTransferFrom.Witness.exact(to: to, validAfter: start)
        if let facilitator = sent["witness"]?["facilitator"] {
            witness = try .upto(to: to, facilitator: address(facilitator), validAfter: start)
        }
        return try PermitWitnessTransferFrom(
            token: address(sent["permitted"]?["token"]),
            amount: UInt256(decimal: sent["permitted"]?["amount"]?.string ?? ""), spender: address(sent["spender"]),
            nonce: UInt256(decimal: sent["nonce"]?.string ?? "").bigEndianBytes, deadline: seconds(sent["deadline"]),
            witness: witness
        ).digest(chainID: 56)
    }

    @Test("what is sent is signed by the wallet, over the row's own values", arguments: sources)
    func signed(method: String, source: ChallengeSource) async throws {
        let desk = try await desk()
        let payment = try await desk.paid(source)
        let sent = try JSONReader.read(#require(Base64.decodeLenient(payment.header.value.utf8)))
        let payload = try #require(sent["payload"])
        let signature = try #require(
            payload["signature"]?.string.flatMap { Hex.decode($0) }.flatMap { Signature(bytes: $0) })
        let context = try Secp256k1Context(seed: .zero)
        #expect(context.recover(digest: try digest(of: payload), signature: signature) == desk.signer.address)
        let terms = payment.terms
        let authorization = payload["permit2Authorization"]
        #expect(authorization?["permitted"]?["amount"]?.string == terms.amount.description)
        #expect(authorization?["witness"]?["to"]?.string == seller && terms.payTo == seller)
        #expect(authorization?["nonce"]?.string == UInt256(bigEndian: terms.nonce).description)
        // Dead from `validBefore` on, as by every method.
        #expect(authorization?["deadline"]?.string == "\(terms.validBefore - 1)")
        #expect(terms.validBefore == Timestamp.vectors.seconds + 60)
        #expect(terms.value == .cents(1) && terms.decimals == 18 && terms.network == "eip155:56")
        #expect(try await desk.books.used(.day) == .cents(1))
    }

    @Test("an attempt whose outcome is unclear is sent again byte for byte", arguments: sources)
    func again(method: String, source: ChallengeSource) async throws {
        let desk = try await desk()
        let first = try await desk.paid(source)
        await desk.book(.silence(reason: "no answer in time"), of: first)
        desk.clock.advance(seconds: 10)
        // Whatever the seller asks by now: another facilitator, another price.
        let other = Self.bnb(
            scheme: "upto", extra: #""facilitatorAddress":"\#(seller)""#, amount: "20000000000000000")
        let second = try await desk.paid(other)
        #expect(second.isAdopted && second.header == first.header && second.terms == first.terms)
        #expect(try await desk.books.used(.day) == .cents(1))
    }

    @Test("a maximum counts whole when the seller does not say what it took")
    func maximum() async throws {
        let desk = try await desk()
        let payment = try await desk.paid(Self.sources[1].1)
        let report = try #require(
            SettlementReport.read(header: Array(#"{"success":true,"transaction":"0x1","network":"eip155:56"}"#.utf8)))
        await desk.book(.response(status: 200, report: report), of: payment)
        #expect(try await desk.rows.map(\.state) == [.settled])
        #expect(try await desk.books.used(.day) == .cents(1))
    }

    @Test("what the seller settles for nothing stays exposed: its signature is still good")
    func zero() async throws {
        let desk = try await desk()
        let payment = try await desk.paid(Self.sources[1].1)
        let report = try #require(
            SettlementReport.read(
                header: Array(
                    #"{"success":true,"transaction":"","network":"eip155:56","amount":"0"}"#.utf8)))
        await desk.book(.response(status: 200, report: report), of: payment)
        #expect(try await desk.rows.map(\.state) == [.inDoubt])
        #expect(try await desk.books.used(.day) == .cents(1))
    }
}
