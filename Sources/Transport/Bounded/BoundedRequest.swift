package import NIOCore

/// One request whose answer is wanted whole, within a size and a time.
package struct BoundedRequest: Sendable {
    /// Where it goes.
    package let origin: Origin
    /// The method, such as `POST`.
    package let method: String
    /// The path and query, beginning with a slash; the caller vouches for its characters.
    package let target: String
    /// Fields besides Host and Content-Length; the caller vouches for their characters.
    package let fields: [(name: String, value: String)]
    /// The body.
    package let body: [UInt8]
    /// How long to wait for a connection, TLS included.
    package let connectTimeout: TimeAmount
    /// When the answer has to be here whole, connecting included.
    package let deadline: NIODeadline
    /// Bytes of the answer's body, chunked coding included, beyond which it is refused.
    package let answerLimit: Int

    /// Makes a request.
    ///
    /// It may be sent twice: once more on a fresh connection when a kept one turns out to be closed.
    package init(
        origin: Origin, method: String, target: String, fields: [(name: String, value: String)], body: [UInt8],
        connectTimeout: TimeAmount, deadline: NIODeadline, answerLimit: Int
    ) {
        self.origin = origin
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
        self.connectTimeout = connectTimeout
        self.deadline = deadline
        self.answerLimit = answerLimit
    }

    /// The daemon's own connection to its origin.
    var use: ConnectionUse { ConnectionUse(Destination(origin, chosenBy: .daemon), by: .daemon) }

    /// Head and body as they go to the socket.
    var bytes: ByteBuffer {
        var bytes = ByteBufferAllocator().buffer(capacity: 256 + target.utf8.count + body.count)
        bytes.writeString("\(method) \(target) HTTP/1.1\r\nhost: \(origin.authority)\r\n")
        for (name, value) in fields { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeString("content-length: \(body.count)\r\n\r\n")
        bytes.writeBytes(body)
        return bytes
    }
}

/// Why there is no answer to a ``BoundedRequest``.
package enum BoundedFailure: Error, Sendable, Equatable {
    /// No connection came about, or it ended, or what came is not HTTP/1.1.
    case upstream(UpstreamFailure)
    /// The deadline passed.
    case timedOut
    /// The caller's task was cancelled.
    case cancelled
    /// The status is not 200; a redirect is one of these, and is never followed.
    case status(Int)
    /// The body is longer than the limit.
    case tooLarge
    /// The body has neither a length nor the chunked coding, so that nobody could tell whether it is whole.
    case unframed
}
