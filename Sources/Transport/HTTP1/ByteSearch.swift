import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension FieldSection {
    /// How often `word` is in the whole head, its first line included; at most `limit`.
    ///
    /// The C library's search, since every request is searched.
    package func count(of word: [UInt8], limit: Int) -> Int {
        bytes.count(of: word, in: 0..<bytes.readableBytes, limit: limit)
    }
}

extension RequestHead {
    /// Whether `word` is in the target as it was sent.
    package func targetContains(_ word: [UInt8]) -> Bool {
        let start = method.utf8.count + 1
        return fields.bytes.count(of: word, in: start..<start + target.utf8.count, limit: 1) > 0
    }
}

extension ByteBuffer {
    /// How often `word` is in a range of the readable bytes; at most `limit`.
    ///
    /// Its last byte is searched for, which should be the rarest.
    fileprivate func count(of word: [UInt8], in range: Range<Int>, limit: Int) -> Int {
        guard let last = word.last else { return 0 }
        return unsafe withUnsafeReadableBytes { all in
            guard let base = all.baseAddress else { return 0 }
            var count = 0
            var position = range.lowerBound
            while count < limit, position < range.upperBound,
                let hit = unsafe memchr(base + position, Int32(last), range.upperBound - position)
            {
                let end = unsafe UnsafeRawPointer(hit) - base + 1
                position = end
                let start = end - word.count
                if start >= range.lowerBound, unsafe all[start..<end].elementsEqual(word) { count += 1 }
            }
            return count
        }
    }
}
