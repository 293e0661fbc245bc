import NIOCore
import Testing

@testable import Proxy

@Suite("Pieces of a body that are kept")
struct BodyPiecesTests {
    /// A piece as a channel reads it: so many bytes in a buffer of a certain size.
    private func piece(_ count: Int, in capacity: Int) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: capacity)
        buffer.writeRepeatingByte(0x61, count: count)
        return buffer
    }

    /// Bytes that a list of buffers takes: their storage, and what each costs besides.
    private func memory(of pieces: BodyPieces) -> Int {
        pieces.buffers.reduce(0) { $0 + $1.storageCapacity + 112 }
    }

    @Test(
        "at most four bytes are kept for each byte of a body, however small its pieces and however large their buffers",
        arguments: [
            [(1, 64)], [(1, 16_384)], [(1, 2048), (1024, 16_384)], [(1, 64), (4096, 16_384)], [(4095, 16_384)],
            [(4096, 4096), (1, 64)], [(5000, 16_384), (3, 16_384)], [(16_384, 16_384)],
            [(6, 64), (1, 2048), (700, 2048)],
        ] as [[(Int, Int)]])
    func bounded(pattern: [(Int, Int)]) {
        var (pieces, total) = (BodyPieces(), 0)
        while total < 256 << 10 {
            for (count, capacity) in pattern {
                pieces.append(piece(count, in: capacity))
                total += count
            }
        }
        #expect(pieces.byteCount == total)
        #expect(pieces.buffers.reduce(0) { $0 + $1.readableBytes } == total)
        #expect(memory(of: pieces) <= 4 * total, "\(memory(of: pieces)) for \(total)")
    }

    @Test("the bytes come out as they came in, and a reader of an earlier state keeps what it has")
    func order() {
        var (pieces, expected) = (BodyPieces(), [UInt8]())
        var earlier: (pieces: BodyPieces, count: Int)?
        for number in 0..<3000 {
            let bytes = [UInt8](
                repeating: UInt8(truncatingIfNeeded: number), count: number % 7 == 0 ? 5000 : number % 13)
            pieces.append(ByteBuffer(bytes: bytes))
            expected += bytes
            if number == 1000 { earlier = (pieces, expected.count) }
        }
        #expect(pieces.buffers.flatMap { Array(buffer: $0) } == expected)
        let before = earlier.map { $0.pieces.buffers.flatMap { Array(buffer: $0) } }
        #expect(before == earlier.map { Array(expected[..<$0.count]) })
    }

    @Test("a long run of whole pieces is shared, not copied")
    func shared() {
        var pieces = BodyPieces()
        for _ in 0..<10 { pieces.append(piece(16_384, in: 16_384)) }
        #expect(pieces.buffers.count == 10)
    }
}
