import CZlib

/// The codings `gzip` (RFC 1952) and `deflate` (RFC 1950, and RFC 1951 as some senders have it), by the system's zlib.
@safe final class Inflater: ContentDecoder {
    /// Which framing is around the compressed data.
    enum Framing {
        case gzip
        /// zlib's or none: senders mean either by `deflate`.
        case deflate
    }

    /// Bytes by which zlib's framing and none are told apart.
    private static let headBytes = 5

    private let stream: UnsafeMutablePointer<z_stream>
    private let framing: Framing
    private var isOpen = false
    /// The beginning, until the framing is known.
    private var head: [UInt8] = []
    private var budget = DecodingBudget()
    private(set) var output = [UInt8](repeating: 0, count: DecodingBudget.stepBytes)
    private(set) var isFinished = false

    init(_ framing: Framing) {
        self.framing = framing
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
    }

    deinit {
        if isOpen { unsafe inflateEnd(stream) }
        unsafe stream.deallocate()
    }

    func step(_ input: Span<UInt8>) throws(DecodingFailure) -> (consumed: Int, produced: Int) {
        guard !isFinished else { throw DecodingFailure() }
        if !isOpen {
            guard framing == .gzip else {
                return try begin(input)
            }
            try open(windowBits: 31)
        }
        return try inflate(input)
    }

    /// Gathers the first bytes of a `deflate` body, and decides what is around it.
    private func begin(_ input: Span<UInt8>) throws(DecodingFailure) -> (consumed: Int, produced: Int) {
        let count = min(Self.headBytes - head.count, input.count)
        for index in 0..<count { head.append(input[index]) }
        guard head.count == Self.headBytes else { return (count, 0) }
        let isZlib = head[0] & 0x8f == 0x08 && (Int(head[0]) << 8 | Int(head[1])) % 31 == 0
        // Bytes that begin both a zlib stream and a plain one, in a stored block, would have two readings.
        guard !isZlib || head[1] ^ head[3] != 0xff || head[2] ^ head[4] != 0xff else { throw DecodingFailure() }
        try open(windowBits: isZlib ? 15 : -15)
        let first = head
        let (consumed, produced) = try inflate(first.span)
        guard consumed == head.count else { throw DecodingFailure() }
        return (count, produced)
    }

    private func open(windowBits: Int32) throws(DecodingFailure) {
        guard unsafe purser_inflate_init(stream, windowBits) == Z_OK else { throw DecodingFailure() }
        isOpen = true
    }

    private func inflate(_ input: Span<UInt8>) throws(DecodingFailure) -> (consumed: Int, produced: Int) {
        let (status, consumed, produced) = unsafe input.withUnsafeBufferPointer { source in
            unsafe output.withUnsafeMutableBufferPointer { target in
                unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
                unsafe stream.pointee.avail_in = UInt32(source.count)
                unsafe stream.pointee.next_out = target.baseAddress
                unsafe stream.pointee.avail_out = UInt32(target.count)
                let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
                return unsafe (
                    status, source.count - Int(stream.pointee.avail_in), target.count - Int(stream.pointee.avail_out)
                )
            }
        }
        try budget.take(consumed: consumed, produced: produced)
        switch status {
        // No progress is no error: there was nothing more to read.
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: isFinished = true
        default: throw DecodingFailure()
        }
        return (consumed, produced)
    }
}
