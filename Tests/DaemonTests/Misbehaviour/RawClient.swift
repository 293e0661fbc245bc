import NIOCore
import NIOPosix

/// One answer as it was on the wire, without any HTTP library between.
struct RawAnswer: Sendable {
    /// Everything up to the empty line; nil when none came.
    let head: [UInt8]?
    /// What follows, with its coding.
    let body: [UInt8]

    init(_ bytes: [UInt8]) {
        let end = bytes.indices.dropLast(3).first { bytes[$0..<$0 + 4].elementsEqual([13, 10, 13, 10]) }
        head = end.map { Array(bytes[..<$0]) }
        body = end.map { Array(bytes[($0 + 4)...]) } ?? []
    }

    /// The lines of the head; the bytes outside UTF-8 are replaced.
    var lines: [String] {
        String(decoding: head ?? [], as: UTF8.self).split(separator: "\r\n").map { String($0) }
    }

    /// The status; 0 when there is none.
    var status: Int {
        let words = lines.first?.split(separator: " ") ?? []
        return words.count > 1 ? Int(words[1]) ?? 0 : 0
    }

    /// All values of a field, by its lower-case name.
    func values(_ name: String) -> [String] {
        lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { return nil }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }
}

/// A client that sends one request and reads until the connection ends.
enum RawClient {
    /// What can go wrong.
    enum Failure: Error {
        /// The connection did not end in time.
        case hanging
    }

    /// Sends a request without a body to a loopback port; throws ``Failure/hanging`` after `patience`, or takes what has come
    /// by then, where that is enough.
    static func send(
        _ method: String, _ path: String, _ fields: [String] = [], port: Int, patience: TimeAmount = .seconds(3),
        takesPart: Bool = false,
        group: MultiThreadedEventLoopGroup
    ) async throws -> RawAnswer {
        let lines = ["\(method) \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Connection: close"] + fields
        let request = ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n")
        let loop = group.next()
        let ended = loop.makePromise(of: [UInt8].self)
        let channel = try await ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(ended: ended))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        channel.writeAndFlush(request, promise: nil)
        let timer = loop.scheduleTask(in: patience) {
            if !takesPart { ended.fail(Failure.hanging) }
            channel.close(promise: nil)
        }
        let bytes = try await ended.futureResult.get()
        timer.cancel()
        return RawAnswer(bytes)
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let ended: EventLoopPromise<[UInt8]>
        private var received: [UInt8] = []

        init(ended: EventLoopPromise<[UInt8]>) {
            self.ended = ended
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.append(contentsOf: unwrapInboundIn(data).readableBytesView)
        }

        func channelInactive(context: ChannelHandlerContext) {
            ended.succeed(received)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }
}
