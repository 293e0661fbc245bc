import CZstd

/// The coding `zstd` (RFC 8878): one frame or several, with windows of at most 8 MiB (RFC 9659).
enum ZstdContent {
    private static let windowLog: Int32 = 23

    /// Returns what comes out, at most `limit` bytes of it; nil when nothing can be read.
    static func read(_ body: [UInt8], limit: Int) -> ContentRead? {
        guard let context = unsafe ZSTD_createDCtx() else { return nil }
        defer { unsafe ZSTD_freeDCtx(context) }
        unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, windowLog)
        // One byte more than allowed tells a body that fits from one that goes on.
        var output = [UInt8](repeating: 0, count: limit + 1)
        var (produced, isDamaged, isAtEnd) = (0, false, false)
        unsafe body.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                var into = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                while true {
                    let before = unsafe (from.pos, into.pos)
                    let status = unsafe ZSTD_decompressStream(context, &into, &from)
                    isDamaged = ZSTD_isError(status) != 0
                    isAtEnd = status == 0
                    let isStuck = unsafe from.pos == before.0 && into.pos == before.1
                    if unsafe isDamaged || isStuck || (isAtEnd && from.pos == from.size) { break }
                }
                produced = unsafe into.pos
            }
        }
        let isWhole = isAtEnd && !isDamaged && produced <= limit
        guard isWhole || produced > 0 else { return nil }
        return ContentRead(bytes: Array(output[..<min(produced, limit)]), isWhole: isWhole)
    }
}
