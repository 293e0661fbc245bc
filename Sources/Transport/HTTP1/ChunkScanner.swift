/// Follows the chunked coding of RFC 9112 section 7.1, strictly: hexadecimal sizes, CRLF everywhere, bounded lines.
///
/// The coding is relayed as it came, so nothing is copied or cut anew; strictness here means that what we take for the
/// end of a body is what every other reader takes for it.
package struct ChunkScanner: Sendable {
    private enum State {
        case sizeFirstDigit
        case size
        case sizeExtension
        case sizeLineFeed
        case data
        case dataReturn
        case dataLineFeed
        case trailerStart
        case trailerName
        case trailerValue
        case trailerLineFeed
        case endLineFeed
        case finished

        /// Whether the last chunk's size has been read.
        var isBehindChunks: Bool {
            switch self {
            case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed: true
            default: false
            }
        }
    }

    private var state = State.sizeFirstDigit
    private var left: UInt64 = 0
    private var lineBytes = 0
    private var trailerBytes = 0
    /// The beginning of the present trailer's name, as long as any that is refused.
    private var trailerName: [UInt8] = []

    /// No name that is told apart by its length has as many bytes.
    private static let longestName = 32

    /// Makes a scanner at the start of a body.
    package init() {}

    /// Whether the last chunk and the trailers have been read.
    package var isFinished: Bool { state == .finished }

    /// Reads on; returns how many bytes of `bytes` belong to the body.
    ///
    /// `data` is told every range of `bytes` that is content rather than framing, `trailer` every byte behind the last chunk.
    package mutating func scan(
        _ bytes: Span<UInt8>, data: (Range<Int>) -> Void = { _ in }, trailer: (UInt8) -> Void = { _ in }
    ) throws(HTTP1Error) -> Int {
        var position = 0
        while position < bytes.count, state != .finished {
            if state == .data {
                let count = Int(min(left, UInt64(bytes.count - position)))
                data(position..<position + count)
                position += count
                left -= UInt64(count)
                if left == 0 { state = .dataReturn }
            } else {
                if state.isBehindChunks { trailer(bytes[position]) }
                try step(bytes[position])
                position += 1
            }
        }
        return position
    }

    private mutating func step(_ byte: UInt8) throws(HTTP1Error) {
        switch state {
        case .sizeFirstDigit, .size, .sizeExtension, .sizeLineFeed: try stepSizeLine(byte)
        case .dataReturn: try expect(0x0d, byte, then: .dataLineFeed)
        case .dataLineFeed: try expect(0x0a, byte, then: .sizeFirstDigit)
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed: try stepTrailer(byte)
        case .data, .finished: break
        }
    }

    private mutating func stepSizeLine(_ byte: UInt8) throws(HTTP1Error) {
        lineBytes += 1
        guard lineBytes <= HTTP1Limits.chunkLineBytes else { throw .badChunk }
        switch state {
        case .sizeFirstDigit:
            left = 0
            guard let digit = byte.hexValue else { throw .badChunk }
            left = digit
            state = .size
        case .size:
            if let digit = byte.hexValue {
                guard left < 1 << 48 else { throw .badChunk }
                left = left << 4 | digit
            } else if byte == 0x0d {
                state = .sizeLineFeed
            } else if byte == UInt8(ascii: ";") {
                state = .sizeExtension
            } else {
                throw .badChunk
            }
        case .sizeExtension:
            if byte == 0x0d { state = .sizeLineFeed } else if !byte.isFieldContent { throw .badChunk }
        default:
            guard byte == 0x0a else { throw .badChunk }
            lineBytes = 0
            state = left == 0 ? .trailerStart : .data
        }
    }

    private mutating func stepTrailer(_ byte: UInt8) throws(HTTP1Error) {
        trailerBytes += 1
        guard trailerBytes <= HTTP1Limits.trailerBytes else { throw .badChunk }
        switch state {
        case .trailerStart:
            guard byte != 0x0d else {
                state = .endLineFeed
                return
            }
            guard byte.isTokenCharacter else { throw .badChunk }
            trailerName = [byte]
            state = .trailerName
        case .trailerName:
            if byte == UInt8(ascii: ":") {
                guard FieldName.recognize(trailerName.span, 0, trailerName.count).mayBeTrailer else {
                    throw .badTrailer
                }
                state = .trailerValue
            } else if byte.isTokenCharacter {
                if trailerName.count < Self.longestName { trailerName.append(byte) }
            } else {
                throw .badChunk
            }
        case .trailerValue:
            if byte == 0x0d { state = .trailerLineFeed } else if !byte.isFieldContent { throw .badChunk }
        case .trailerLineFeed: try expect(0x0a, byte, then: .trailerStart)
        default: try expect(0x0a, byte, then: .finished)
        }
    }

    private mutating func expect(_ wanted: UInt8, _ byte: UInt8, then next: State) throws(HTTP1Error) {
        guard byte == wanted else { throw .badChunk }
        state = next
    }
}

extension ChunkScanner {
    /// The content of a complete chunked body, without its framing.
    package static func content(of body: [UInt8]) throws(HTTP1Error) -> [UInt8] {
        var scanner = ChunkScanner()
        var ranges: [Range<Int>] = []
        _ = try scanner.scan(body.span) { ranges.append($0) }
        return ranges.flatMap { body[$0] }
    }
}

extension UInt8 {
    fileprivate var hexValue: UInt64? {
        switch self {
        case 0x30...0x39: UInt64(self - 0x30)
        case 0x41...0x46: UInt64(self - 0x41 + 10)
        case 0x61...0x66: UInt64(self - 0x61 + 10)
        default: nil
        }
    }
}
