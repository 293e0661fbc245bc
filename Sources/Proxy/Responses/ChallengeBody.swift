import CZlib

/// The body of a 402, made readable: inflated when it is compressed, within a limit either way.
enum ChallengeBody {
    /// Returns the plain body, or nil when its coding is unknown, it is damaged, or it is longer than `limit`.
    static func plain(_ body: [UInt8], coding: String?, limit: Int) -> [UInt8]? {
        switch coding?.lowercased() {
        case nil, "identity": body.count <= limit ? body : nil
        case "gzip", "x-gzip", "deflate": inflate(body, limit: limit)
        default: nil
        }
    }

    private static func inflate(_ body: [UInt8], limit: Int) -> [UInt8]? {
        var stream = unsafe z_stream()
        guard unsafe purser_inflate_init(&stream, 47) == Z_OK else { return nil }
        defer { unsafe inflateEnd(&stream) }
        // One byte more than allowed tells a body that fits from one that goes on.
        var output = [UInt8](repeating: 0, count: limit + 1)
        var input = body
        let (status, produced) = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                let status = unsafe CZlib.inflate(&stream, Z_FINISH)
                return unsafe (status, target.count - Int(stream.avail_out))
            }
        }
        guard status == Z_STREAM_END, produced <= limit else { return nil }
        return Array(output[..<produced])
    }
}
