import NIOCore
import Testing
import Transport

@Suite("Bytes that have not been read yet")
struct UnreadBytesTests {
    @Test("a buffer in which something is always left does not grow with all that came", arguments: [false, true])
    func growth(isSliced: Bool) {
        var buffer = ByteBuffer()
        var (next, expected): (UInt8, UInt8) = (0, 0)
        for round in 0..<2_000 {
            buffer.appendUnread(
                ByteBuffer(
                    bytes: (0..<100).map { _ in
                        next &+= 1
                        return next
                    }))
            // One byte more than was read stays, and is the first of the next round.
            let taken = buffer.readableBytes - (round == 1_999 ? 0 : 1)
            // A slice shares the storage, which is copied then.
            let bytes =
                isSliced
                ? Array((buffer.readSlice(length: taken) ?? .init()).readableBytesView)
                : buffer.readBytes(length: taken) ?? []
            for byte in bytes {
                expected &+= 1
                #expect(byte == expected)
            }
        }
        #expect(buffer.readableBytes == 0 && next == expected && buffer.capacity <= 1_024)
    }
}
