import CZlib

/// Compressed bodies as gateways send them.
enum Compression {
    struct Failure: Error {}

    /// Encodes by the name of a content coding.
    static func encode(_ bytes: [UInt8], coding: String) throws -> [UInt8] {
        guard coding != "identity" else { return bytes }
        var stream = unsafe z_stream()
        let code = unsafe deflateInit2_(
            &stream, 6, Z_DEFLATED, coding == "gzip" ? 31 : 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else { throw Failure() }
        defer { unsafe deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count + 256)
        let produced = unsafe input.withUnsafeMutableBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(target.count)
                _ = unsafe deflate(&stream, Z_FINISH)
                return unsafe target.count - Int(stream.avail_out)
            }
        }
        return Array(output[..<produced])
    }
}
