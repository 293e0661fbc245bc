import CZlib

/// The codings `gzip` (RFC 1952) and `deflate` (RFC 1950, and RFC 1951 as some senders have it), whichever of their names
/// a sender gives.
enum Inflation {
    /// Returns what comes out, at most `limit` bytes of it; nil when nothing can be read.
    ///
    /// Gzip may have several members one after the other. What follows a stream and begins no member is not looked at.
    static func read(_ body: [UInt8], limit: Int) -> ContentRead? {
        var result = ContentRead(bytes: [], isWhole: true)
        var position = 0
        var members = 0
        repeat {
            guard members < maximumMembers else { return ContentRead(bytes: result.bytes, isWhole: false) }
            members += 1
            let rest = Array(body[position...])
            guard let member = stream(rest, limit: limit - result.bytes.count) else {
                return position == 0 ? nil : ContentRead(bytes: result.bytes, isWhole: false)
            }
            result.bytes += member.read.bytes
            result.isWhole = member.read.isWhole
            position += member.consumed
        } while result.isWhole && body[position...].starts(with: gzipMagic)
        return result
    }

    private static let gzipMagic: [UInt8] = [0x1f, 0x8b]
    /// The most members that are read: each costs a copy of the rest.
    private static let maximumMembers = 64

    private static func stream(_ body: [UInt8], limit: Int) -> (read: ContentRead, consumed: Int)? {
        // 31 takes gzip's framing alone, 15 zlib's, and -15 none.
        if body.starts(with: gzipMagic) { return inflate(body, windowBits: 31, limit: limit) }
        if let stream = inflate(body, windowBits: 15, limit: limit) { return stream }
        // Without a frame almost any bytes are the beginning of something, so only an end shows that they are meant.
        guard let stream = inflate(body, windowBits: -15, limit: limit) else { return nil }
        return stream.read.isWhole || stream.read.bytes.count == limit ? stream : nil
    }

    private static func inflate(
        _ body: [UInt8], windowBits: Int32, limit: Int
    ) -> (read: ContentRead, consumed: Int)? {
        var stream = unsafe z_stream()
        guard unsafe purser_inflate_init(&stream, windowBits) == Z_OK else { return nil }
        defer { unsafe inflateEnd(&stream) }
        // One byte more than allowed tells a body that fits from one that goes on.
        var output = [UInt8](repeating: 0, count: limit + 1)
        var input = body
        let (status, left, produced) = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                let status = unsafe CZlib.inflate(&stream, Z_SYNC_FLUSH)
                return unsafe (status, Int(stream.avail_in), target.count - Int(stream.avail_out))
            }
        }
        let isWhole = status == Z_STREAM_END && produced <= limit
        guard isWhole || produced > 0 else { return nil }
        return (ContentRead(bytes: Array(output[..<min(produced, limit)]), isWhole: isWhole), body.count - left)
    }
}
