import CZstd

/// The coding `zstd` (RFC 8878) by the system's libzstd: one frame, with a window of at most 8 MiB (RFC 9659).
@safe final class ZstdDecoder: ContentDecoder {
    private static let windowLog: Int32 = 23

    private let context: OpaquePointer?
    private var budget = DecodingBudget()
    private(set) var output = [UInt8](repeating: 0, count: DecodingBudget.stepBytes)
    private(set) var isFinished = false

    init() {
        unsafe context = ZSTD_createDCtx()
        unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.windowLog)
    }

    deinit {
        unsafe ZSTD_freeDCtx(context)
    }

    func step(_ input: Span<UInt8>) throws(DecodingFailure) -> (consumed: Int, produced: Int) {
        guard !isFinished, unsafe context != nil else { throw DecodingFailure() }
        let (status, consumed, produced) = unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
                var into = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                let status = unsafe ZSTD_decompressStream(context, &into, &from)
                return unsafe (status, from.pos, into.pos)
            }
        }
        guard ZSTD_isError(status) == 0 else { throw DecodingFailure() }
        try budget.take(consumed: consumed, produced: produced)
        isFinished = status == 0
        return (consumed, produced)
    }
}
