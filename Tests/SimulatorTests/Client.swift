import NIOCore
import NIOHTTP1
import NIOPosix
import Primitives

/// A client's connection: one request after the other, answers piece by piece.
final class Client: Sendable {
    /// One whole answer, with the moment each piece of its body came.
    struct Answer {
        var head: HTTPResponseHead
        var pieces: [(bytes: [UInt8], time: ContinuousClock.Instant)] = []

        var body: [UInt8] { pieces.flatMap(\.bytes) }
    }

    private let channel: any Channel
    private let parts: AsyncStream<HTTPClientResponsePart>

    init(port: Int, group: MultiThreadedEventLoopGroup) async throws {
        let (parts, feed) = AsyncStream.makeStream(of: HTTPClientResponsePart.self)
        self.parts = parts
        channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHTTPClientHandlers()
                    try channel.pipeline.syncOperations.addHandler(Collector(feed: feed))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    func send(
        _ method: HTTPMethod, _ path: String, _ fields: [(String, String)] = [], body: [UInt8] = []
    ) async throws {
        var headers = HTTPHeaders([("Host", "127.0.0.1"), ("Content-Length", "\(body.count)")])
        headers.add(contentsOf: fields.map { ($0.0, $0.1) })
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)
        channel.write(HTTPClientRequestPart.head(head), promise: nil)
        channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(bytes: body))), promise: nil)
        try await channel.writeAndFlush(HTTPClientRequestPart.end(nil))
    }

    /// The next part of an answer; nil once the connection is closed.
    func part() async -> HTTPClientResponsePart? {
        for await part in parts { return part }
        return nil
    }

    /// The next whole answer; nil when the connection closes before its end.
    func answer() async -> Answer? {
        var answer: Answer?
        while let part = await part() {
            switch part {
            case .head(let head): answer = Answer(head: head)
            case .body(let bytes): answer?.pieces.append((Array(bytes.readableBytesView), .now))
            case .end: return answer
            }
        }
        return nil
    }

    func close() async {
        try? await channel.close().get()
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let feed: AsyncStream<HTTPClientResponsePart>.Continuation

        init(feed: AsyncStream<HTTPClientResponsePart>.Continuation) {
            self.feed = feed
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            feed.yield(unwrapInboundIn(data))
        }

        func channelInactive(context: ChannelHandlerContext) {
            feed.finish()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
