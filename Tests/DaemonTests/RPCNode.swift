import NIOCore
import NIOPosix
import Primitives

/// A JSON-RPC server on loopback that tells of one final block, at which some nonces are used.
final class RPCNode: Sendable {
    /// Where it listens.
    let port: Int
    private let listener: any Channel

    /// Listens; `used` are the nonces, `time` is the final block's.
    init(used: Set<Bytes32>, time: Int64, group: MultiThreadedEventLoopGroup) async throws {
        listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Session(used: used, time: time))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        port = listener.localAddress?.port ?? 0
    }

    /// Listens no more.
    func stop() async throws {
        try await listener.close()
    }

    /// Answers one batch after another.
    private final class Session: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let used: Set<Bytes32>
        private let time: Int64
        private var received = ""

        init(used: Set<Bytes32>, time: Int64) {
            self.used = used
            self.time = time
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            // A batch ends with its closing bracket, which nothing else in it does.
            guard let end = received.firstRange(of: "\r\n\r\n"), received.hasSuffix("}]") else { return }
            let body = Array(received[end.upperBound...].utf8)
            received = ""
            let calls = (try? JSONReader.read(body))?.elements ?? []
            let answer = "[" + calls.map(response).joined(separator: ",") + "]"
            let text = "HTTP/1.1 200 OK\r\ncontent-length: \(answer.utf8.count)\r\n\r\n\(answer)"
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil)
        }

        private func response(to call: JSONValue) -> String {
            let id = call["id"]?.integer ?? 0
            let parameters = call["params"]?.elements ?? []
            let result =
                switch call["method"]?.string {
                case "eth_chainId": "\"0xa4b1\""
                case "eth_getBlockByNumber":
                    "{\"number\":\"0x4d\",\"hash\":\"\(Bytes32.zero)\",\"timestamp\":\"0x\(String(time, radix: 16))\"}"
                default: "\"\(isUsed(parameters.first?["data"]?.string ?? "") ? UInt256(1).bigEndianBytes : .zero)\""
                }
            return "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"result\":\(result)}"
        }

        /// The nonce is the last word of a call's data.
        private func isUsed(_ data: String) -> Bool {
            Hex.decode("0x" + data.suffix(64)).flatMap { Bytes32($0) }.map(used.contains) ?? false
        }
    }
}
