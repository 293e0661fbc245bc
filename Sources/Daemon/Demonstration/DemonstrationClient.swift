import NIOCore
import NIOPosix
import Transport

/// One HTTP request over a connection of its own, as an agent would make it, with the times at which bytes came.
struct DemonstrationClient {
    /// What came back.
    struct Answer: Sendable {
        /// The status.
        let status: Int
        /// Fields, names in lower case.
        let fields: [String: String]
        /// The body without its chunked coding.
        let body: String
        /// From sending to the first byte of the answer.
        let firstByte: TimeAmount
        /// From sending to the end.
        let total: TimeAmount
        /// How many times the socket brought something.
        let arrivals: Int
    }

    let group: MultiThreadedEventLoopGroup
    let port: Int
    let token: String

    /// Posts JSON and waits for the whole answer.
    func post(_ path: String, json: String) async throws -> Answer {
        let request = """
            POST \(path) HTTP/1.1\r
            Host: 127.0.0.1:\(port)\r
            Authorization: Bearer \(token)\r
            Content-Type: application/json\r
            Content-Length: \(json.utf8.count)\r
            Connection: close\r
            \r
            \(json)
            """
        let loop = group.next()
        let promise = loop.makePromise(of: Answer.self)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(promise: promise))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        try await channel.writeAndFlush(ByteBuffer(string: request))
        return try await promise.futureResult.get()
    }

    /// Gathers an answer until the connection closes.
    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let promise: EventLoopPromise<Answer>
        private let started = NIODeadline.now()
        private var first: NIODeadline?
        private var arrivals = 0
        private var bytes: [UInt8] = []

        init(promise: EventLoopPromise<Answer>) {
            self.promise = promise
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            first = first ?? .now()
            arrivals += 1
            bytes.append(contentsOf: Array(buffer: unwrapInboundIn(data)))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
            context.close(promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            guard let first, let answer = answer(first: first) else {
                return promise.fail(StartFailure("the answer could not be read"))
            }
            promise.succeed(answer)
        }

        private func answer(first: NIODeadline) -> Answer? {
            guard let split = bytes.indices.first(where: { bytes[$0...].starts(with: Array("\r\n\r\n".utf8)) }) else {
                return nil
            }
            let lines = String(decoding: bytes[..<split], as: UTF8.self).split(separator: "\r\n")
            guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
                return nil
            }
            var fields: [String: String] = [:]
            for line in lines.dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                fields[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
            }
            let raw = Array(bytes[(split + 4)...])
            let isChunked = fields["transfer-encoding"] == "chunked"
            guard let body = isChunked ? try? ChunkScanner.content(of: raw) : raw else { return nil }
            return Answer(
                status: status, fields: fields, body: String(decoding: body, as: UTF8.self),
                firstByte: first - started, total: .now() - started, arrivals: arrivals)
        }
    }
}
