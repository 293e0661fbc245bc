import Ethereum
import Primitives
import TestSupport
import Testing

@Suite("Keccak-256")
struct KeccakTests {
    @Test("published inputs give published hashes", arguments: try Vectors.rows("keccak-basic"))
    func vectors(row: Vectors.Row) throws {
        let input: [UInt8]
        if let text = row.value["utf8"]?.string {
            input = Array(text.utf8)
        } else {
            input = try #require(Hex.decode(row.string("hex")))
        }
        #expect(try Keccak256.hash(input).description == row.string("keccak256"))
    }

    @Test("type strings give their type hashes", arguments: try Vectors.rows("typehashes"))
    func typeHashes(row: Vectors.Row) throws {
        #expect(try Keccak256.hash(row.string("type")).description == row.string("typeHash"))
    }

    @Test("input in pieces of any size hashes like input in one piece", arguments: [1, 3, 7, 8, 32, 135, 136, 137])
    func pieces(size: Int) {
        let input = (0..<600).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for length in [0, 1, 7, 8, 9, 135, 136, 137, 271, 272, 273, 600] {
            var hasher = Keccak256()
            var rest = input[..<length]
            while !rest.isEmpty {
                hasher.absorb(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(hasher.finish() == Keccak256.hash(Array(input[..<length])))
        }
    }

    @Test("words hash like their bytes, aligned or not", arguments: [0, 2, 8, 134])
    func words(prefix: Int) throws {
        let word = try #require(Bytes32(200..<232))
        let lead = [UInt8](repeating: 9, count: prefix)
        var hasher = Keccak256()
        hasher.absorb(lead)
        for _ in 0..<5 { hasher.absorb(word) }
        #expect(hasher.finish() == Keccak256.hash(lead + Array(repeating: word.bytes, count: 5).joined()))
    }

    @Test("finishing does not disturb what is absorbed later")
    func finishIsPure() {
        var hasher = Keccak256()
        hasher.absorb([1, 2, 3])
        #expect(hasher.finish() == Keccak256.hash([1, 2, 3]))
        hasher.absorb([4])
        #expect(hasher.finish() == Keccak256.hash([1, 2, 3, 4]))
    }
}
