import NIOCore
import NIOPosix
import TestSupport
import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Certificates of a test authority, and a relay that puts TLS in front of a scripted upstream.
final class SecureUpstream {
    let port: Int
    private let listener: any Channel
    private let group: MultiThreadedEventLoopGroup

    /// Makes an authority and a certificate for `localhost` in a folder, with the openssl command.
    static func makeCertificates(in folder: TemporaryFolder) throws {
        let script = """
            cd \(folder.path) && exec 2>/dev/null &&
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem \
              -subj /CN=authority -days 2 &&
            openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out request.pem \
              -subj /CN=localhost && printf 'subjectAltName=DNS:localhost' > names &&
            openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem
            """
        guard unsafe system(script) == 0 else { throw WireError.system(errno) }
    }

    /// `cutsOff`: whether its connections end without a close_notify.
    init(folder: TemporaryFolder, target: Int, cutsOff: Bool = false) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let context = try TLSServerContext(
            certificateChainFile: folder.path("cert.pem"), privateKeyFile: folder.path("key.pem"))
        listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        context.makeServerHandler(), Relay(target: target, cutsOff: cutsOff))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.group = group
        port = listener.localAddress?.port ?? 0
    }

    func stop() async throws {
        try await listener.close()
        try await group.shutdownGracefully()
    }
}

/// Passes bytes between its channel and a loopback port.
private final class Relay: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let target: Int?
    private let cutsOff: Bool
    private var peer: (any Channel)?
    private var early: [ByteBuffer] = []

    init(target: Int, cutsOff: Bool) {
        self.target = target
        self.cutsOff = cutsOff
    }

    init(peer: any Channel, cutsOff: Bool) {
        target = nil
        self.peer = peer
        self.cutsOff = cutsOff
    }

    func channelActive(context: ChannelHandlerContext) {
        guard let target else { return }
        let channel = context.channel
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let cutsOff = cutsOff
        ClientBootstrap(group: context.eventLoop)
            .channelInitializer { other in
                other.eventLoop.makeCompletedFuture {
                    try other.pipeline.syncOperations.addHandler(Relay(peer: channel, cutsOff: cutsOff))
                }
            }
            .connect(host: "127.0.0.1", port: target)
            .assumeIsolated()
            .whenSuccess { other in
                bound.value.peer = other
                for bytes in bound.value.early { other.write(bytes, promise: nil) }
                other.flush()
            }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if let peer { peer.writeAndFlush(bytes, promise: nil) } else { early.append(bytes) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if cutsOff, target == nil {
            peer?.triggerUserOutboundEvent(TLSCutOff(), promise: nil)
        } else {
            peer?.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
