import NIOCore
import NIOPosix

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Calls back on an event loop after the loop has asked the system which sockets are ready.
///
/// What is handed to a loop to execute runs before that, and so does whatever it hands over in turn: tasks that follow each
/// other keep every socket waiting. So the bell is a descriptor among the sockets: the reading end of a pipe.
final class LoopBell {
    /// What is called, at most once for each time that the loop looks at its sockets.
    var onRing: () -> Void = {}

    /// When to call where the system gave no pipe.
    private static let fallback = TimeAmount.milliseconds(1)

    private let loop: any EventLoop
    private var writingEnd: Int32 = -1
    private var isRinging = false

    /// Makes a bell for a loop, and is called on it.
    init(loop: any EventLoop) {
        self.loop = loop
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return }
        let (readingEnd, writingEnd) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        self.writingEnd = writingEnd
        let bound = NIOLoopBound(self, eventLoop: loop)
        NIOPipeBootstrap(group: loop)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Ear(bell: bound.value))
                }
            }
            .takingOwnershipOfDescriptor(input: readingEnd)
            .whenFailure { _ in
                close(readingEnd)
                bound.value.silence()
            }
    }

    /// Has ``onRing`` called; several times before the call are one.
    func ring() {
        guard !isRinging else { return }
        isRinging = true
        if writingEnd >= 0, unsafe write(writingEnd, [UInt8(1)], 1) == 1 { return }
        ringLater()
    }

    private func ringLater() {
        let bound = NIOLoopBound(self, eventLoop: loop)
        _ = loop.scheduleTask(in: Self.fallback) { bound.value.rang() }
    }

    private func rang() {
        guard isRinging else { return }
        isRinging = false
        onRing()
    }

    /// The pipe is closed, as all channels of a loop are when it ends; what was written to it may never be read.
    private func silence() {
        guard writingEnd >= 0 else { return }
        close(writingEnd)
        writingEnd = -1
        if isRinging { ringLater() }
    }

    private final class Ear: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let bell: LoopBell

        init(bell: LoopBell) { self.bell = bell }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) { bell.rang() }

        func channelInactive(context: ChannelHandlerContext) { bell.silence() }
    }
}
