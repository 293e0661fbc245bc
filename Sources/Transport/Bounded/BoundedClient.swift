package import NIOCore
import Synchronization

/// Sends requests whose answers are small and wanted whole, over kept connections of one event loop.
///
/// Safe to use from any task. The loop has to outlive every call.
package final class BoundedClient: Sendable {
    private let loop: any EventLoop
    private let tls: TLSClientContext
    /// Made on the loop by the first request, since it belongs there.
    private let pool: NIOLoopBoundBox<UpstreamPool?>

    /// Makes a client whose connections live on `loop`.
    package init(loop: any EventLoop, tls: TLSClientContext) {
        self.loop = loop
        self.tls = tls
        pool = NIOLoopBoundBox.makeEmptyBox(valueType: UpstreamPool.self, eventLoop: loop)
    }

    /// The body of the 200 that answers a request, without chunked coding.
    ///
    /// Nothing else is an answer. When the task is cancelled the connection is closed.
    package func answer(to request: BoundedRequest) async throws(BoundedFailure) -> [UInt8] {
        let ticket = Ticket(loop: loop)
        let outcome: BoundedExchange.Outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                loop.execute { self.start(request, ticket: ticket) { continuation.resume(returning: $0) } }
            }
        } onCancel: {
            ticket.isCancelled.store(true, ordering: .releasing)
            loop.execute { ticket.exchange.value?.cancel() }
        }
        return try outcome.get()
    }

    /// Closes the connections that carry nothing.
    package func closeIdle() {
        loop.execute { self.pool.value?.closeIdle() }
    }

    private func start(
        _ request: BoundedRequest, ticket: Ticket, completion: @escaping (BoundedExchange.Outcome) -> Void
    ) {
        // A cancellation that came before this found no exchange to end.
        guard !ticket.isCancelled.load(ordering: .acquiring) else { return completion(.failure(.cancelled)) }
        let exchange = BoundedExchange(request, pool: connections()) { outcome in
            ticket.exchange.value = nil
            completion(outcome)
        }
        ticket.exchange.value = exchange
        exchange.start(on: loop)
    }

    private func connections() -> UpstreamPool {
        if let pool = pool.value { return pool }
        let made = UpstreamPool(loop: loop, tls: tls, deadlines: DeadlineSweep(loop: loop))
        pool.value = made
        return made
    }
}

/// What the two sides of a call share: the exchange once it has begun, and whether nobody waits for it any more.
private final class Ticket: Sendable {
    let isCancelled = Atomic(false)
    let exchange: NIOLoopBoundBox<BoundedExchange?>

    init(loop: any EventLoop) {
        exchange = NIOLoopBoundBox.makeEmptyBox(valueType: BoundedExchange.self, eventLoop: loop)
    }
}
