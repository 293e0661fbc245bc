import Ledger
import NIOCore
import NIOPosix
import Transport

/// The agent asks for a tunnel (RFC 9110 section 9.3.6), and its form, place and token are good.
struct TunnelRequest: Sendable {
    let head: RequestHead
    let caller: Caller
    let host: HostName
    let port: Int

    var target: String { host.authority(port: port) }
}

/// What a connection is for whose TLS ends here.
struct Binding {
    let host: HostName
    let port: Int
    let caller: Caller

    init(_ request: TunnelRequest) {
        host = request.host
        port = request.port
        caller = request.caller
    }

    var origin: Origin { Origin(isSecure: true, host: host.text, port: port) }
}

extension ProxyLoop {
    /// Connects to a checked address of a host; `completion` is called once, on the loop.
    func connectTunnel(
        to request: TunnelRequest, of agent: Agent,
        completion: @escaping (Result<(any Channel, TunnelEnd), UpstreamFailure>) -> Void
    ) {
        let end = TunnelEnd()
        let bound = NIOLoopBound(end, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(services.timeouts.connect)
            .resolver(resolver(for: agent))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: ConnectionBuffers.reading)
            .channelOption(.maxMessagesPerRead, value: ConnectionBuffers.readsAtOnce)
            .channelOption(.writeBufferWaterMark, value: ConnectionBuffers.waterMark)
            .channelOption(.allowRemoteHalfClosure, value: true)
            // Nothing is read before there is somebody to read for.
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .connect(host: request.host.text, port: request.port)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): completion(.success((channel, end)))
                case .failure(let error): completion(.failure(UpstreamFailure(connecting: error)))
                }
            }
    }
}
