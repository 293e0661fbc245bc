import NIOCore
import Transport

/// An interim response (RFC 9110 section 15.2) on its way to the agent: hints of a gateway, less what is for one hop, for
/// us or about money.
enum InterimResponse {
    /// The bytes for the agent that sent `request`; nil when this one is not for it.
    ///
    /// 100 is not: the proxy has answered Expect by itself. HTTP/1.0 knows no interim responses.
    static func bytes(of head: ResponseHead, to request: RequestHead, allocator: ByteBufferAllocator) -> ByteBuffer? {
        guard head.status > 101, head.status < 200, !request.isHTTP10 else { return nil }
        let options = head.fields.connectionOptions
        var bytes = allocator.buffer(capacity: 256)
        bytes.writeString("HTTP/1.1 \(head.status) \(head.reason)\r\n")
        for line in head.fields.lines where line.name == .other {
            if let options, options.contains(head.fields.name(of: line)) { continue }
            head.fields.copy(line, to: &bytes)
        }
        bytes.writeString("\r\n")
        return bytes
    }
}
