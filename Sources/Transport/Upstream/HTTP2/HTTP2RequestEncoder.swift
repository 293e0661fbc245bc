import NIOCore
import NIOHPACK

/// Turns the bytes of one HTTP/1.1 request into what HTTP/2 sends in their place; RFC 9113 section 8.
///
/// A value that performs nothing.
struct HTTP2RequestEncoder {
    /// What goes out, in order.
    enum Part {
        case head(HPACKHeaders, isLast: Bool)
        case data(ByteBuffer, isLast: Bool)
        case trailers(HPACKHeaders)
    }

    private enum State {
        case head(HeadScanner)
        case length(UInt64)
        case chunked(ChunkScanner)
        case finished
    }

    private var state = State.head(HeadScanner())
    /// The part of the head that has come.
    private var head = ByteBuffer()
    /// The trailer section that has come; bounded by the scanner.
    private var trailers = ByteBuffer()
    /// The request's method, once its head has come.
    private(set) var method = ""

    /// Whether the whole request has come.
    var isFinished: Bool {
        if case .finished = state { true } else { false }
    }

    /// Takes the next bytes of the request, which are ours: an error is a mistake on this side.
    mutating func take(_ bytes: ByteBuffer, emit: (Part) -> Void) throws(HTTP1Error) {
        var bytes = bytes
        if case .head(var scanner) = state {
            head.writeBuffer(&bytes)
            guard let length = try scanner.endOfHead(in: head, limit: 2 * HTTP1Limits.requestHeadBytes),
                let whole = head.readSlice(length: length)
            else {
                state = .head(scanner)
                return
            }
            bytes = head
            head = ByteBuffer()
            let request = try RequestHead(whole)
            method = request.method
            begin(request.framing)
            emit(.head(Self.headers(of: request), isLast: isFinished))
        }
        guard bytes.readableBytes > 0 else { return }
        try takeBody(bytes, emit: emit)
    }

    private mutating func begin(_ framing: BodyFraming) {
        switch framing {
        case .none, .length(0), .untilClose: state = .finished
        case .length(let count): state = .length(count)
        case .chunked: state = .chunked(ChunkScanner())
        }
    }

    private mutating func takeBody(_ bytes: ByteBuffer, emit: (Part) -> Void) throws(HTTP1Error) {
        switch state {
        case .head, .finished:
            throw .badContentLength
        case .length(let left):
            guard bytes.readableBytes <= left else { throw .badContentLength }
            let rest = left - UInt64(bytes.readableBytes)
            state = rest == 0 ? .finished : .length(rest)
            emit(.data(bytes, isLast: rest == 0))
        case .chunked(var scanner):
            var pieces: [ByteBuffer] = []
            let start = bytes.readerIndex
            let count = try scanner.scan(
                bytes.readableBytesUInt8Span,
                data: { range in
                    if let piece = bytes.getSlice(at: start + range.lowerBound, length: range.count) {
                        pieces.append(piece)
                    }
                }, trailer: { trailers.writeInteger($0) })
            guard count == bytes.readableBytes else { throw .badChunk }
            guard scanner.isFinished else {
                state = .chunked(scanner)
                for piece in pieces { emit(.data(piece, isLast: false)) }
                return
            }
            state = .finished
            try finishChunked(pieces, emit: emit)
        }
    }

    private func finishChunked(_ pieces: [ByteBuffer], emit: (Part) -> Void) throws(HTTP1Error) {
        let section = try FieldSection(bytes: trailers, from: 0)
        guard section.lines.isEmpty else {
            for piece in pieces { emit(.data(piece, isLast: false)) }
            var headers = HPACKHeaders()
            for line in section.lines {
                headers.add(name: section.name(of: line), value: section.text(line), indexing: .nonIndexable)
            }
            return emit(.trailers(headers))
        }
        for piece in pieces.dropLast() { emit(.data(piece, isLast: false)) }
        emit(.data(pieces.last ?? ByteBuffer(), isLast: true))
    }

    private static func headers(of request: RequestHead) -> HPACKHeaders {
        let fields = request.fields
        var headers = HPACKHeaders()
        headers.reserveCapacity(fields.lines.count + 4)
        headers.add(name: ":method", value: request.method)
        headers.add(name: ":scheme", value: "https")
        if let host = fields.first(.host) { headers.add(name: ":authority", value: fields.text(host)) }
        headers.add(name: ":path", value: request.target)
        let options = fields.connectionOptions
        for line in fields.lines {
            switch line.name {
            case .host, .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade: continue
            case .te:
                if fields.contains(.te, token: "trailers") { headers.add(name: "te", value: "trailers") }
                continue
            default: break
            }
            let name = fields.name(of: line)
            if let options, options.contains(name) { continue }
            headers.add(name: name, value: fields.text(line), indexing: indexing(of: line.name))
        }
        return headers
    }

    /// Secrets never enter the compression's memory, nor does what differs in each request.
    private static func indexing(of name: FieldName) -> HPACKIndexing {
        switch name {
        case .authorization, .proxyAuthorization, .xAPIKey, .apiKey, .xGoogAPIKey, .cookie, .secWebSocketProtocol,
            .paymentSignature, .xPayment, .signInWithX:
            .neverIndexed
        case .contentLength, .date, .idempotencyKey: .nonIndexable
        default: .indexable
        }
    }
}
