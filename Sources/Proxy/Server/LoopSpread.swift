import NIOCore
import NIOPosix
import Synchronization

/// Leads each new connection to the event loop that has the fewest.
///
/// An accepted connection belongs to the loop that the group gives next, and the group goes round. So it is turned until the
/// wanted loop is next: whenever a connection began or ended, since the next one is accepted without a question. Whoever else
/// takes a loop of the group meanwhile only makes the spread a little less even.
final class LoopSpread: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let positions: [ObjectIdentifier: Int]
    private let state: Mutex<State>

    private struct State {
        /// Open connections of each loop.
        var open: [Int]
        /// Where the next one is led.
        var next = 0
    }

    /// Spreads over all loops of a group.
    init(_ group: MultiThreadedEventLoopGroup) {
        self.group = group
        let loops = Array(group.makeIterator())
        positions = Dictionary(
            loops.enumerated().map { (ObjectIdentifier($1), $0) }, uniquingKeysWith: { first, _ in first })
        state = Mutex(State(open: [Int](repeating: 0, count: loops.count)))
    }

    /// A handler for a listening channel, which sees what it accepts.
    func handler() -> some ChannelInboundHandler & Sendable { Handler(spread: self) }

    private func began(_ channel: any Channel) {
        guard positions.count > 1, let position = positions[ObjectIdentifier(channel.eventLoop)] else { return }
        change(position, by: 1)
        channel.closeFuture.whenComplete { _ in self.change(position, by: -1) }
    }

    private func change(_ position: Int, by count: Int) {
        state.withLock { state in
            state.open[position] += count
            // Among equals the loop whose turn it is, so that short connections go round.
            if count > 0 { state.next = (position + 1) % state.open.count }
            let turn = state.open.indices.map { (state.next + $0) % state.open.count }
            guard let wanted = turn.min(by: { state.open[$0] < state.open[$1] }) else { return }
            let before = (wanted + state.open.count - 1) % state.open.count
            for _ in state.open.indices where positions[ObjectIdentifier(group.next())] == before { return }
        }
    }

    private final class Handler: ChannelInboundHandler, Sendable {
        typealias InboundIn = any Channel

        private let spread: LoopSpread

        init(spread: LoopSpread) { self.spread = spread }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            spread.began(unwrapInboundIn(data))
            context.fireChannelRead(data)
        }
    }
}
