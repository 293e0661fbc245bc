import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads requests and writes scripted bytes; it lives on its channel's event loop.
final class MerchantConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// How long bytes may travel before the reset that follows them.
    private static let headStart = TimeAmount.milliseconds(20)

    private let desk: MerchantDesk
    private let isElsewhere: Bool
    private let place: MerchantPlace
    private var reader = MerchantRequestReader()
    private var inbound = ByteBuffer()
    /// Whether nothing more is answered on this connection.
    private var isOver = false

    init(desk: MerchantDesk, isElsewhere: Bool, place: MerchantPlace) {
        self.desk = desk
        self.isElsewhere = isElsewhere
        self.place = place
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isOver else { return }
        var bytes = unwrapInboundIn(data)
        inbound.writeBuffer(&bytes)
        do throws(MerchantRequestProblem) {
            while !isOver, let request = try reader.next(from: &inbound) {
                let answer = desk.answer(request, isElsewhere: isElsewhere, at: place)
                write(answer, endsConnection: request.endsConnection, context)
            }
        } catch {
            write(Self.refusal(of: error), endsConnection: true, context)
        }
    }

    private static func refusal(of problem: MerchantRequestProblem) -> ScriptedAnswer {
        switch problem {
        case .headTooLong: .http(431)
        case .bodyTooLong: .http(413)
        case .lengthRequired: .http(411)
        case .malformed: .http(400)
        }
    }

    private func write(_ answer: ScriptedAnswer, endsConnection: Bool, _ context: ChannelHandlerContext) {
        let bytes = wrapOutboundOut(ByteBuffer(bytes: answer.bytes))
        switch answer.ending {
        case .keepAlive where !endsConnection:
            context.writeAndFlush(bytes, promise: nil)
        case .keepAlive, .close:
            isOver = true
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            context.writeAndFlush(bytes, promise: written)
        case .reset:
            isOver = true
            guard !answer.bytes.isEmpty else { return reset(context) }
            context.writeAndFlush(bytes, promise: nil)
            context.eventLoop.assumeIsolated().scheduleTask(in: Self.headStart) { self.reset(context) }
        case .hang:
            isOver = true
            context.writeAndFlush(bytes, promise: nil)
        }
    }

    /// Closes with a reset, as a process that died does.
    private func reset(_ context: ChannelHandlerContext) {
        guard let provider = context.channel as? any SocketOptionProvider else { return context.close(promise: nil) }
        provider.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Where a merchant listens: at home, and at a second origin to which it leads payers astray.
struct MerchantPlace: Sendable, Equatable {
    /// The home port.
    let home: Int
    /// The second port.
    let elsewhere: Int
}
