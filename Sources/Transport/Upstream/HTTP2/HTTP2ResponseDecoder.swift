package import NIOCore
package import NIOHPACK

/// Turns one HTTP/2 response into the bytes of the HTTP/1.1 response that says the same.
///
/// Strict where RFC 9113 section 8 is: a field that could end a line here, or frame another message, makes the response
/// malformed. Sizes and the number of interim responses are checked by whoever reads the bytes. A value that performs
/// nothing.
package struct HTTP2ResponseDecoder {
    private enum State {
        case head
        /// Nothing may follow but the end.
        case noBody
        case length(UInt64)
        case chunked
        case ended
    }

    private var state = State.head
    /// Whether a part of a response has come, interim ones included.
    private(set) var hasBegun = false

    /// Makes a decoder for one response.
    package init() {}

    /// Whether HTTP/1.1 has all of the response, although the stream may still have to end.
    package var isComplete: Bool {
        switch state {
        case .noBody, .length(0), .ended: true
        case .head, .length, .chunked: false
        }
    }

    /// Takes a header block: an interim response, the final one, or trailers.
    ///
    /// `method` is the request's; `isLast`: the stream ends with it.
    package mutating func take(
        _ headers: HPACKHeaders, isLast: Bool, answering method: String, emit: (ByteBuffer) -> Void
    ) throws(HTTP1Error) {
        guard case .head = state else { return try takeTrailers(headers, isLast: isLast, emit: emit) }
        hasBegun = true
        let status = try Self.status(of: headers)
        guard status != 101 else { throw .badStartLine }
        var head = ByteBuffer()
        head.reserveCapacity(1024)
        head.writeString("HTTP/1.1 \(status) \r\n")
        guard status >= 200 else {
            guard !isLast else { throw .badStartLine }
            try Self.write(headers.dropFirst(), to: &head)
            head.writeString("\r\n")
            return emit(head)
        }
        let length = try Self.length(in: headers)
        let hasNoBody = method == "HEAD" || status == 204 || status == 304
        guard !isLast || hasNoBody || length ?? 0 == 0 else { throw .badContentLength }
        // Behind a length HTTP/1.1 has no place for the trailers that are announced.
        let keepsLength = hasNoBody || length != nil && headers.first(name: "trailer") == nil
        try Self.write(headers.dropFirst(), droppingLength: !keepsLength, to: &head)
        switch length {
        case _ where hasNoBody: state = .noBody
        case let length? where keepsLength: state = .length(length)
        default:
            head.writeString("transfer-encoding: chunked\r\n")
            remaining = length
            state = .chunked
        }
        head.writeString("\r\n")
        emit(head)
        if isLast { try end(emit: emit) }
    }

    /// What is left of an announced length in a body that goes on in chunks.
    private var remaining: UInt64?

    /// Takes a piece of the body.
    package mutating func take(_ data: ByteBuffer, isLast: Bool, emit: (ByteBuffer) -> Void) throws(HTTP1Error) {
        let count = UInt64(data.readableBytes)
        switch state {
        case .head, .ended: throw .badStartLine
        case .noBody: guard count == 0 else { throw .badContentLength }
        case .length(let left):
            guard count <= left else { throw .badContentLength }
            state = .length(left - count)
            if count > 0 { emit(data) }
        case .chunked:
            if let left = remaining {
                guard count <= left else { throw .badContentLength }
                remaining = left - count
            }
            if count > 0 { Self.emitChunk(data, emit: emit) }
        }
        if isLast { try end(emit: emit) }
    }

    private static func emitChunk(_ data: ByteBuffer, emit: (ByteBuffer) -> Void) {
        var chunk = ByteBuffer()
        let isSmall = data.readableBytes <= 4096
        chunk.reserveCapacity(isSmall ? data.readableBytes + 16 : 16)
        chunk.writeString("\(String(data.readableBytes, radix: 16))\r\n")
        guard isSmall else {
            emit(chunk)
            emit(data)
            return emit(ByteBuffer(string: "\r\n"))
        }
        chunk.writeImmutableBuffer(data)
        chunk.writeString("\r\n")
        emit(chunk)
    }

    private mutating func takeTrailers(
        _ headers: HPACKHeaders, isLast: Bool, emit: (ByteBuffer) -> Void
    ) throws(HTTP1Error) {
        guard isLast else { throw .badTrailer }
        var lines = ByteBuffer()
        try Self.write(headers[...], to: &lines)
        try end(trailers: lines, emit: emit)
    }

    private mutating func end(trailers: ByteBuffer = ByteBuffer(), emit: (ByteBuffer) -> Void) throws(HTTP1Error) {
        let state = state
        self.state = .ended
        switch state {
        case .head, .ended: throw .badStartLine
        case .noBody: break
        case .length(let left): guard left == 0 else { throw .badContentLength }
        case .chunked:
            guard remaining ?? 0 == 0 else { throw .badContentLength }
            var last = ByteBuffer(string: "0\r\n")
            last.writeImmutableBuffer(trailers)
            last.writeString("\r\n")
            emit(last)
        }
    }

    /// The one pseudo-field of a response, which stands first.
    private static func status(of headers: HPACKHeaders) throws(HTTP1Error) -> Int {
        guard let first = headers.first, first.name == ":status", first.value.utf8.count == 3,
            first.value.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let status = Int(first.value),
            (100...599).contains(status)
        else { throw .badStartLine }
        return status
    }

    private static func length(in headers: HPACKHeaders) throws(HTTP1Error) -> UInt64? {
        var length: UInt64?
        for (name, value, _) in headers where name == "content-length" {
            let digits = value.utf8
            guard length == nil, !digits.isEmpty, digits.count <= 18, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 })
            else { throw .badContentLength }
            length = UInt64(value)
        }
        return length
    }

    /// Writes fields as lines.
    private static func write(
        _ headers: some Sequence<HPACKHeaders.Element>, droppingLength: Bool = false, to output: inout ByteBuffer
    ) throws(HTTP1Error) {
        for (name, value, _) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy({ $0.isTokenCharacter && !($0 >= 0x41 && $0 <= 0x5a) }),
                value.utf8.allSatisfy(\.isFieldContent),
                // RFC 9113 section 8.2.1.
                value.utf8.first?.isBlank != true, value.utf8.last?.isBlank != true
            else { throw .badField }
            switch name {
            case "connection", "keep-alive", "proxy-connection", "upgrade": throw .badField
            case "transfer-encoding": throw .badTransferEncoding
            case "content-length" where droppingLength: continue
            default: break
            }
            output.writeString(name)
            output.writeString(": ")
            output.writeString(value)
            output.writeString("\r\n")
        }
    }
}
