package import NIOCore

/// How the end of a body is found; RFC 9112 section 6.
package enum BodyFraming: Sendable, Equatable {
    /// There is no body.
    case none
    /// Exactly this many bytes.
    case length(UInt64)
    /// Chunks up to a last one of size zero.
    case chunked
    /// Everything until the connection closes (responses only).
    case untilClose
}

/// Follows a body through the bytes of its connection, says where it ends, and leaves out of a chunked one what readers
/// disagree about.
package struct BodyReader: Sendable {
    private enum State {
        case length(UInt64)
        case chunked(ChunkScanner)
        case untilClose
        case finished
    }

    private var state: State

    /// Makes a reader for one body; `trailers` says which trailers a chunked one may have.
    package init(_ framing: BodyFraming, trailers: TrailerRule = .strict) {
        switch framing {
        case .none, .length(0): state = .finished
        case .length(let count): state = .length(count)
        case .chunked: state = .chunked(ChunkScanner(trailers: trailers))
        case .untilClose: state = .untilClose
        }
    }

    /// Whether the whole body has been read.
    package var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Whether the end of the connection is the end of the body.
    package var endsWithConnection: Bool {
        if case .untilClose = state { true } else { false }
    }

    /// Takes the body's part from the front of `input`, framing included; what follows the body stays.
    ///
    /// Returns nil where there is nothing to take, and a slice of the input, or without what is left out a copy, which may
    /// be empty.
    package mutating func take(from input: inout ByteBuffer) throws(HTTP1Error) -> ByteBuffer? {
        let available = input.readableBytes
        guard available > 0 else { return nil }
        let count: Int
        switch state {
        case .finished:
            return nil
        case .untilClose:
            count = available
        case .length(let left):
            count = Int(min(left, UInt64(available)))
            state = UInt64(count) == left ? .finished : .length(left - UInt64(count))
        case .chunked(var scanner):
            var edits: [ChunkScanner.Edit] = []
            count = try scanner.scan(input.readableBytesUInt8Span, edit: { edits.append($0) })
            state = scanner.isFinished ? .finished : .chunked(scanner)
            if !edits.isEmpty { return input.readSlice(length: count).map { Self.rewrite($0, with: edits) } }
        }
        return input.readSlice(length: count)
    }

    /// The bytes with parts of them replaced, which are in order.
    private static func rewrite(_ bytes: ByteBuffer, with edits: [ChunkScanner.Edit]) -> ByteBuffer {
        var bytes = bytes
        var output = ByteBufferAllocator().buffer(
            capacity: edits.reduce(bytes.readableBytes) { $0 - $1.range.count + $1.replacement.count })
        var position = 0
        for edit in edits {
            if let kept = bytes.readSlice(length: edit.range.lowerBound - position) {
                output.writeImmutableBuffer(kept)
            }
            output.writeBytes(edit.replacement)
            bytes.moveReaderIndex(forwardBy: edit.range.count)
            position = edit.range.upperBound
        }
        output.writeImmutableBuffer(bytes)
        return output
    }
}
