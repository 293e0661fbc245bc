import Ethereum
import Primitives
import TestSupport
import Testing

@Suite("secp256k1 public keys")
struct PublicKeyTests {
    private let context: Secp256k1Context
    private let key = [UInt8](repeating: 2, count: 32)
    private let point: [UInt8]

    init() throws {
        self.context = try SignatureTests.context.get()
        // The key of the seller in the vectors.
        self.point = try #require(Hex.decode("024d4b6cd1361032ca9bd2aeb9d900aa4d45d9ead80ac9423374c451a7254d0766"))
    }

    @Test("a public key has the address of its private key")
    func address() throws {
        #expect(try context.address(ofPublicKey: point) == context.address(ofKey: key.span))
    }

    @Test("both twins of a signature are genuine, and nothing else is")
    func verification() throws {
        let order = UInt256(
            high: 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe, low: 0xbaae_dce6_af48_a03b_bfd2_5e8c_d036_4141)
        for seed: UInt8 in 0..<8 {
            let digest = Keccak256.hash([seed])
            let lower = try context.sign(digest: digest, key: key.span)
            let upper = try #require(order.subtracting(UInt256(bigEndian: lower.s))).bigEndianBytes
            for s in [lower.s, upper] {
                let signature = lower.r.bytes + s.bytes
                #expect(context.verify(digest: digest, signature: signature, publicKey: point))
                #expect(!context.verify(digest: .zero, signature: signature, publicKey: point))
                #expect(!context.verify(digest: digest, signature: signature, publicKey: [3] + point.dropFirst()))
                #expect(!context.verify(digest: digest, signature: signature + [27], publicKey: point))
                #expect(!context.verify(digest: digest, signature: s.bytes + lower.r.bytes, publicKey: point))
            }
        }
    }

    @Test("reject- signatures of zeros and beyond the group order")
    func numbers() {
        for byte: UInt8 in [0, 0xff] {
            let signature = [UInt8](repeating: byte, count: 64)
            #expect(!context.verify(digest: .zero, signature: signature, publicKey: point))
        }
    }

    static let strangePoints: [[UInt8]] = [
        [], [0], [2], Array(repeating: 2, count: 32), [5] + Array(repeating: 1, count: 32),
        [2] + Array(repeating: 0xff, count: 32), [4] + Array(repeating: 1, count: 64),
        [6] + Array(repeating: 1, count: 64),
        Array(repeating: 0, count: 33), Array(repeating: 2, count: 34),
    ]

    @Test("reject- what is no point", arguments: strangePoints)
    func noPoint(point: [UInt8]) {
        #expect(context.address(ofPublicKey: point) == nil)
        #expect(!context.verify(digest: .zero, signature: [UInt8](repeating: 1, count: 64), publicKey: point))
    }
}
