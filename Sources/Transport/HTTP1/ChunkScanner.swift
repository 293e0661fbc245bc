/// Follows the chunked coding of RFC 9112 section 7.1, strictly: hexadecimal sizes, CRLF everywhere, bounded lines.
///
/// What readers disagree about does not travel on: extensions and the blanks before them, zeros in front of a size, and the
/// spelling of trailers. All else, the content above all, does so as it came.
package struct ChunkScanner: Sendable {
    /// A part of what was scanned, and what takes its place.
    package struct Edit: Sendable, Equatable {
        /// Where the part is.
        package let range: Range<Int>
        /// What is written for it.
        package let replacement: [UInt8]
    }

    private enum State {
        case sizeFirstDigit
        /// Nothing but zeros so far, the last of which is written only if no other digit follows.
        case sizeZero
        case size
        /// Blanks behind the size, which only an extension may follow.
        case sizeBlank
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
        var isAfterChunks: Bool {
            switch self {
            case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed: true
            default: false
            }
        }

        /// Whether the byte that led here is left out, or is written with others later.
        var isLeftOut: Bool {
            switch self {
            case .sizeBlank, .sizeExtension, .trailerName, .trailerValue, .trailerLineFeed: true
            default: false
            }
        }
    }

    private let trailers: TrailerRule
    private var state = State.sizeFirstDigit
    private var left: UInt64 = 0
    private var lineBytes = 0
    private var trailerBytes = 0
    /// The present trailer line, without its CRLF.
    private var trailer: [UInt8] = []
    /// Where the name of the present trailer ends.
    private var trailerNameEnd = 0
    /// Whether the present trailer is left out.
    private var removesTrailer = false

    /// Makes a scanner at the start of a body.
    package init(trailers: TrailerRule = .strict) {
        self.trailers = trailers
    }

    /// Whether the last chunk and the trailers have been read.
    package var isFinished: Bool { state == .finished }

    /// Reads on; returns how many bytes of `bytes` belong to the body.
    ///
    /// `data` is told every range of `bytes` that is content rather than framing, `trailer` every byte after the last chunk,
    /// `edit`, in order, what is to be written otherwise before the bytes travel on.
    package mutating func scan(
        _ bytes: Span<UInt8>, data: (Range<Int>) -> Void = { _ in }, trailer: (UInt8) -> Void = { _ in },
        edit: (Edit) -> Void = { _ in }
    ) throws(HTTP1Error) -> Int {
        var position = 0
        // Where what is being left out begins.
        var gap: Int? = state.isLeftOut ? 0 : nil
        // Where the zero is that may have to be left out.
        var zero: Int?
        while position < bytes.count, state != .finished {
            if state == .data {
                let count = Int(min(left, UInt64(bytes.count - position)))
                data(position..<position + count)
                position += count
                left -= UInt64(count)
                if left == 0 { state = .dataReturn }
                continue
            }
            if state.isAfterChunks { trailer(bytes[position]) }
            let before = state
            try step(bytes[position])
            if before == .sizeZero {
                if state == .size || state == .sizeZero {
                    if let zero { edit(Edit(range: zero..<position, replacement: [])) }
                } else if zero == nil {
                    edit(Edit(range: position..<position, replacement: [UInt8(ascii: "0")]))
                }
            }
            zero = state == .sizeZero ? position : nil
            if before == .trailerLineFeed {
                edit(Edit(range: (gap ?? position)..<position + 1, replacement: writtenTrailer))
                gap = nil
            } else if state.isLeftOut {
                gap = gap ?? position
            } else if let start = gap {
                edit(Edit(range: start..<position, replacement: []))
                gap = nil
            }
            position += 1
        }
        if let start = gap ?? zero, start < position { edit(Edit(range: start..<position, replacement: [])) }
        return position
    }

    private mutating func step(_ byte: UInt8) throws(HTTP1Error) {
        switch state {
        case .sizeFirstDigit, .sizeZero, .size, .sizeBlank, .sizeExtension, .sizeLineFeed: try stepSizeLine(byte)
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
            state = digit == 0 ? .sizeZero : .size
        case .sizeZero, .size:
            if let digit = byte.hexValue {
                guard left < 1 << 48 else { throw .badChunk }
                left = left << 4 | digit
                if left > 0 { state = .size }
            } else if byte == 0x0d {
                state = .sizeLineFeed
            } else if byte == UInt8(ascii: ";") {
                state = .sizeExtension
            } else if byte.isBlank {
                state = .sizeBlank
            } else {
                throw .badChunk
            }
        case .sizeBlank:
            if byte == UInt8(ascii: ";") { state = .sizeExtension } else if !byte.isBlank { throw .badChunk }
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
            trailer = [byte]
            state = .trailerName
        case .trailerName:
            if byte == UInt8(ascii: ":") {
                try endTrailerName()
                state = .trailerValue
            } else if !byte.isTokenCharacter {
                throw .badChunk
            }
            trailer.append(byte)
        case .trailerValue:
            if byte == 0x0d {
                guard trailers.refuses?(trailer) != true else { throw .badTrailer }
                state = .trailerLineFeed
            } else if byte.isFieldContent {
                trailer.append(byte)
            } else {
                throw .badChunk
            }
        case .trailerLineFeed: try expect(0x0a, byte, then: .trailerStart)
        default: try expect(0x0a, byte, then: .finished)
        }
    }

    private mutating func endTrailerName() throws(HTTP1Error) {
        trailerNameEnd = trailer.count
        let name = FieldName.recognize(trailer[...])
        removesTrailer = name == .alias && trailers.removesAliases
        guard removesTrailer || name.mayBeTrailer else { throw .badTrailer }
    }

    /// The present trailer as it travels on: a reader that skips two bytes at the end of the chunks, as if there were no
    /// trailers, must not find a request in `X:GET / HTTP/1.1`.
    private var writtenTrailer: [UInt8] {
        guard !removesTrailer else { return [] }
        let value = trailer[(trailerNameEnd + 1)...].trimmingBlankBytes
        return trailer[..<trailerNameEnd] + [UInt8(ascii: ":"), 0x20] + value + [0x0d, 0x0a]
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
        _ = try scanner.scan(body.span, data: { ranges.append($0) })
        return ranges.flatMap { body[$0] }
    }
}

extension ArraySlice<UInt8> {
    fileprivate var trimmingBlankBytes: ArraySlice<UInt8> {
        var rest = drop { $0.isBlank }
        while let last = rest.last, last.isBlank { rest.removeLast() }
        return rest
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
