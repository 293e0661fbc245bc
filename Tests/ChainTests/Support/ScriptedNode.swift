import NIOCore
import NIOPosix
import Primitives
import Synchronization
import Transport

/// What a server sends back.
struct Reply: Sendable {
    /// The bytes, head included, in the pieces that they are sent in.
    var pieces: [String] = []
    /// Whether the connection ends behind them.
    var closes = false
    /// How long the server thinks first.
    var delay = TimeAmount.nanoseconds(0)

    /// A whole answer with Content-Length.
    static func with(_ body: String, status: Int = 200, _ fields: [String] = []) -> Reply {
        let lines = fields.map { $0 + "\r\n" }.joined()
        return Reply(pieces: ["HTTP/1.1 \(status) X\r\n\(lines)content-length: \(body.utf8.count)\r\n\r\n\(body)"])
    }

    /// Nothing, for as long as the connection lasts.
    static let never = Reply()
}

/// A JSON-RPC server on loopback, which plays a chain and can be told to lie.
final class ScriptedNode: Sendable {
    let port: Int
    private let state: State
    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup

    final class State: Sendable {
        let chain: Mutex<FakeChain>
        let requests = Mutex<[String]>([])
        let connections = Mutex<[any Channel]>([])

        init(_ chain: FakeChain) { self.chain = Mutex(chain) }
    }

    init(_ chain: FakeChain, tls: TLSServerContext? = nil) async throws {
        let state = State(chain)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(tls.makeServerHandler()) }
                    try channel.pipeline.syncOperations.addHandler(Session(state))
                    state.connections.withLock { $0.append(channel) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.state = state
        self.group = group
        port = listener.localAddress?.port ?? 0
    }

    /// Changes what the server says from now on.
    func change(_ body: (inout FakeChain) -> Void) { state.chain.withLock { body(&$0) } }

    /// The requests so far, heads included.
    var requests: [String] { state.requests.withLock { $0 } }

    /// The methods called so far, batch by batch.
    var batches: [[String]] {
        requests.map { request in
            let body = request.components(separatedBy: "\r\n\r\n").last ?? ""
            let calls = (try? JSONReader.read(Array(body.utf8)))?.elements ?? []
            return calls.map { $0["method"]?.string ?? "" }
        }
    }

    /// How many connections there were.
    var connectionCount: Int { state.connections.withLock { $0.count } }

    /// Whether every connection so far has ended, after at most five seconds.
    func isDeserted() async -> Bool {
        for _ in 0..<500 {
            if state.connections.withLock({ $0.allSatisfy { !$0.isActive } }) { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Whether a request has come, after at most five seconds.
    func isAsked() async -> Bool {
        for _ in 0..<500 {
            if !requests.isEmpty { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    /// Closes the listener and every connection.
    func stop() async throws {
        try await listener.close()
        try await group.shutdownGracefully()
    }
}

extension String {
    /// The parts between a separator.
    func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}

/// One connection: reads requests with a Content-Length and sends the chain's replies.
private final class Session: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let state: ScriptedNode.State
    private var text: [UInt8] = []

    init(_ state: ScriptedNode.State) { self.state = state }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += Array(unwrapInboundIn(data).readableBytesView)
        let parts = String(decoding: text, as: UTF8.self).components(separatedBy: "\r\n\r\n")
        guard parts.count == 2, let field = parts[0].firstRange(of: "content-length: "),
            let length = Int(parts[0][field.upperBound...].prefix { $0.isNumber }), parts[1].utf8.count == length
        else { return }
        state.requests.withLock { $0.append(String(decoding: text, as: UTF8.self)) }
        text = []
        let chain = state.chain.withLock { $0 }
        send(chain.http(chain.answer(to: parts[1])), context)
    }

    private func send(_ reply: Reply, _ context: ChannelHandlerContext) {
        guard reply.delay > .nanoseconds(0) else { return write(reply, context) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: reply.delay) { bound.value.0.write(reply, bound.value.1) }
    }

    private func write(_ reply: Reply, _ context: ChannelHandlerContext) {
        for piece in reply.pieces { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: piece)), promise: nil) }
        if reply.closes { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
