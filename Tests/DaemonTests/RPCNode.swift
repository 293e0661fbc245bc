import NIOCore
import NIOPosix
import Primitives

/// A JSON-RPC server on loopback that answers each call as a test says.
final class RPCNode: Sendable {
    /// The text of the result, or of an error, which begins with `{"code"`.
    typealias Answer = @Sendable (_ method: String, _ parameters: [JSONValue]) -> String

    /// Where it listens.
    let port: Int
    private let listener: any Channel

    /// Listens and tells of one final block of Arbitrum, at which some nonces are used; `time` is the block's.
    convenience init(used: Set<Bytes32>, time: Int64, group: MultiThreadedEventLoopGroup) async throws {
        try await self.init(group: group) { method, parameters in
            switch method {
            case "eth_chainId": return "\"0xa4b1\""
            case "eth_getBlockByNumber":
                return
                    "{\"number\":\"0x4d\",\"hash\":\"\(Bytes32.zero)\",\"timestamp\":\"0x\(String(time, radix: 16))\"}"
            default:
                // The nonce is the last word of a call's data.
                let data = parameters.first?["data"]?.string ?? ""
                let isUsed =
                    Hex.decode("0x" + data.suffix(64)).flatMap { Bytes32($0) }.map(used.contains) ?? false
                return "\"\(isUsed ? UInt256(1).bigEndianBytes : .zero)\""
            }
        }
    }

    /// Listens and answers.
    init(group: MultiThreadedEventLoopGroup, answer: @escaping Answer) async throws {
        listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Session(answer: answer))
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

        private let answer: Answer
        private var received = ""

        init(answer: @escaping Answer) {
            self.answer = answer
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
            let text = answer(call["method"]?.string ?? "", call["params"]?.elements ?? [])
            let member = text.hasPrefix("{\"code\"") ? "error" : "result"
            return "{\"jsonrpc\":\"2.0\",\"id\":\(call["id"]?.integer ?? 0),\"\(member)\":\(text)}"
        }
    }
}
