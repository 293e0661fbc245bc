import NIOCore
import NIOHPACK
import Transport

/// Answers from HTTP/2: what a reader of HTTP/1.1 makes of them is the same answer, and ends where it ends.
///
/// Parts are divided by byte 0x1e. The first is the request's method; of the others the first byte says what they are: `h` a
/// header block, whose fields are divided by 0x1f and have `=` behind their names, `d` data, in upper case the last.
enum HTTP2Invariants {
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        let parts = input.split(separator: 0x1e, omittingEmptySubsequences: false)
        let method = String(decoding: parts.first ?? [], as: UTF8.self)
        var decoder = HTTP2ResponseDecoder()
        var bytes = ByteBuffer()
        var content: [UInt8] = []
        for part in parts.dropFirst() {
            do throws(HTTP1Error) {
                switch part.first {
                case UInt8(ascii: "h"), UInt8(ascii: "H"):
                    try decoder.take(
                        fields(part.dropFirst()), isLast: part.first == UInt8(ascii: "H"), answering: method
                    ) { bytes.writeImmutableBuffer($0) }
                case UInt8(ascii: "d"), UInt8(ascii: "D"):
                    let data = ByteBuffer(bytes: part.dropFirst())
                    try decoder.take(data, isLast: part.first == UInt8(ascii: "D")) { bytes.writeImmutableBuffer($0) }
                    content += part.dropFirst()
                default: return
                }
            } catch { return }
        }
        guard let read = try? read(bytes, answering: method) else { return }
        try hold(!read.endsWithConnection, "an answer says how it ends")
        try hold(read.rest == 0, "nothing stands behind an answer")
        try hold(read.isWhole == decoder.isComplete, "an answer is whole to HTTP/1.1 when it is whole")
        try hold(read.content == content, "the content is the data")
    }

    private static func fields(_ block: ArraySlice<UInt8>) -> HPACKHeaders {
        let fields = block.split(separator: 0x1f).map { field in
            let pair = field.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (
                String(decoding: pair[0], as: UTF8.self), String(decoding: pair.dropFirst().joined(), as: UTF8.self)
            )
        }
        return HPACKHeaders(fields)
    }

    /// What a connection of HTTP/1.1 would make of it; throws where it would refuse it.
    private static func read(
        _ bytes: ByteBuffer, answering method: String
    ) throws(HTTP1Error) -> (isWhole: Bool, content: [UInt8], endsWithConnection: Bool, rest: Int) {
        var rest = bytes
        while true {
            var scanner = HeadScanner()
            guard let length = try scanner.endOfHead(in: rest, limit: HTTP1Limits.responseHeadBytes),
                let slice = rest.readSlice(length: length)
            else { return (false, [], false, 0) }
            let head = try ResponseHead(slice)
            if head.status < 200 { continue }
            let framing = head.framing(answering: method)
            var reader = BodyReader(framing)
            let body = try reader.take(from: &rest).map { Array($0.readableBytesView) } ?? []
            let endsWithConnection = framing == .untilClose
            guard framing == .chunked else {
                return (reader.isFinished, body, endsWithConnection, rest.readableBytes)
            }
            var content: [UInt8] = []
            var chunks = ChunkScanner()
            _ = try chunks.scan(body.span, data: { content += body[$0] })
            return (reader.isFinished, content, endsWithConnection, rest.readableBytes)
        }
    }
}
