import Ethereum
import Primitives
import Testing

@testable import Chain

@Suite("Calls of contracts")
struct AuthorizationCallTests {
    private static let authorizer = "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
    private static let nonce = "0x00000000000000000000000000000000000000000000000000000000000102ff"

    private func probe(_ kind: AuthorizationProbe.Kind, nonce: String = nonce) throws -> AuthorizationProbe {
        AuthorizationProbe(
            token: try #require(Address(hex: "0xfd086bc7cd5c481dcc9c85ebe478a1c0b69fcbb9")),
            authorizer: try #require(Address(hex: Self.authorizer)),
            nonce: try #require(Hex.decode(nonce).flatMap { Bytes32($0) }), kind: kind)
    }

    @Test(
        "a selector is the beginning of its signature's hash",
        arguments: [
            ("authorizationState(address,bytes32)", AuthorizationProbe.Kind.eip3009),
            ("nonceBitmap(address,uint256)", .permit2),
        ])
    func selectors(signature: String, kind: AuthorizationProbe.Kind) throws {
        let data = AuthorizationCall.data(for: try probe(kind))
        #expect(Array(data.prefix(4)) == Array(Keccak256.hash(signature).bytes.prefix(4)))
    }

    @Test("EIP-3009 asks the token for authorizer and nonce")
    func token() throws {
        let probe = try probe(.eip3009)
        #expect(AuthorizationCall.contract(for: probe) == probe.token)
        #expect(
            Hex.encode(AuthorizationCall.data(for: probe))
                == "e94a0102" + "00000000000000000000000019e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
                + "00000000000000000000000000000000000000000000000000000000000102ff")
    }

    @Test("Permit2 is asked for the word that the nonce's bit stands in")
    func permit2() throws {
        let probe = try probe(.permit2)
        #expect(
            AuthorizationCall.contract(for: probe).checksummed == "0x000000000022D473030F116dDEE9F6B43aC78BA3")
        #expect(
            Hex.encode(AuthorizationCall.data(for: probe))
                == "4fe02b44" + "00000000000000000000000019e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
                + "0000000000000000000000000000000000000000000000000000000000000102")
    }

    @Test("the highest nonce of Permit2 has a word and a bit too")
    func highestNonce() throws {
        let probe = try probe(.permit2, nonce: "0x" + String(repeating: "f", count: 64))
        #expect(
            Hex.encode(AuthorizationCall.data(for: probe).suffix(32)) == "00" + String(repeating: "f", count: 62))
        #expect(AuthorizationCall.isUsed([0x80] + [UInt8](repeating: 0, count: 31), for: probe) == true)
    }

    @Test("each of Permit2's 256 bits is read by its own nonce", arguments: [0, 1, 7, 8, 9, 127, 128, 247, 248, 255])
    func bits(_ bit: Int) throws {
        let probe = try probe(.permit2, nonce: "0x" + Hex.encode([UInt8](repeating: 0, count: 31) + [UInt8(bit)]))
        // Bit i of a uint256 has the value 2^i.
        let value = bit < 128 ? UInt256(high: 0, low: 1 << bit) : UInt256(high: 1 << (bit - 128), low: 0)
        let others = try #require(UInt256.max.subtracting(value))
        #expect(AuthorizationCall.isUsed(value.bigEndianBytes.bytes, for: probe) == true)
        #expect(AuthorizationCall.isUsed(others.bigEndianBytes.bytes, for: probe) == false)
    }

    @Test("a token's word is 0 for unused and 1 for used or cancelled")
    func tokenWords() throws {
        let probe = try probe(.eip3009)
        #expect(AuthorizationCall.isUsed(UInt256.zero.bigEndianBytes.bytes, for: probe) == false)
        #expect(AuthorizationCall.isUsed(UInt256(1).bigEndianBytes.bytes, for: probe) == true)
    }

    @Test(
        "reject- words that are no truth value",
        arguments: [UInt256(2), UInt256(256), .max, UInt256(high: 1, low: 0), UInt256(high: 1, low: 1)])
    func badWords(_ word: UInt256) throws {
        #expect(AuthorizationCall.isUsed(word.bigEndianBytes.bytes, for: try probe(.eip3009)) == nil)
    }

    @Test("reject- answers that are not one word", arguments: [0, 1, 31, 33, 64])
    func lengths(_ count: Int) throws {
        let answer = [UInt8](repeating: 0, count: count)
        #expect(AuthorizationCall.isUsed(answer, for: try probe(.eip3009)) == nil)
        #expect(AuthorizationCall.isUsed(answer, for: try probe(.permit2)) == nil)
    }

    @Test("an authorization is expired when no later block can settle it, to the second")
    func expiry() {
        let block = ChainBlock(number: 1, hash: .zero, time: 1_700_000_000)
        #expect(AuthorizationProbe.Kind.eip3009.isExpired(1_700_000_000, asOf: block))
        #expect(!AuthorizationProbe.Kind.eip3009.isExpired(1_700_000_001, asOf: block))
        #expect(AuthorizationProbe.Kind.permit2.isExpired(1_699_999_999, asOf: block))
        #expect(!AuthorizationProbe.Kind.permit2.isExpired(1_700_000_000, asOf: block))
        #expect(!AuthorizationProbe.Kind.eip3009.isExpired(.max, asOf: block))
    }
}
