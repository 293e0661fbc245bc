package import NIOCore
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Why a name was not looked up.
package enum LookupFailure: Error, Equatable, Sendable {
    /// The asker has as many look-ups waiting as it may.
    case tooMany
    /// No answer came within ``AddressLookups/patience``.
    case timedOut
}

/// Name look-ups of the whole process, on threads of their own: the system's look-up blocks for as long as a name server is
/// silent, and nothing else may wait for that.
///
/// Who may use how many threads is decided by ``LookupQueue``. Safe to use from any thread.
package final class AddressLookups: Sendable {
    /// The system's look-up: all addresses of a host in one family, none when there are none or nobody knows; blocks.
    package typealias Find = @Sendable (_ host: String, _ family: Int32) -> [SocketAddress]

    /// How long an answer is waited for.
    package static let patience = TimeAmount.seconds(10)
    /// The look-ups that everything shares that does not bring its own.
    package static let standard = AddressLookups()

    private struct State {
        var queue: LookupQueue
        var answers: [LookupQueue.Waiter: @Sendable ([SocketAddress]) -> Void] = [:]
        var lastWaiter: LookupQueue.Waiter = 0
    }

    private let state: Mutex<State>
    private let patience: TimeAmount
    private let find: Find

    /// Makes look-ups of their own.
    package convenience init() { self.init(find: { AddressLookup.addresses(of: $0, family: $1) }) }

    init(limits: LookupQueue.Limits = .init(), patience: TimeAmount = AddressLookups.patience, find: @escaping Find) {
        state = Mutex(State(queue: LookupQueue(limits: limits)))
        self.patience = patience
        self.find = find
    }

    /// How many threads look up names now.
    var threads: Int { state.withLock { $0.queue.threads } }

    /// An answer that is waited for, and how to wait no longer.
    struct Pending {
        let addresses: EventLoopFuture<[SocketAddress]>
        let cancel: @Sendable () -> Void
    }

    /// The addresses of a host in one family, without ports; fails with ``LookupFailure``, at the deadline and when it is
    /// cancelled with ``LookupFailure/timedOut``.
    func addresses(of host: String, family: Int32, for asker: LookupAsker, on loop: any EventLoop) -> Pending {
        let promise = loop.makePromise(of: [SocketAddress].self)
        let waiter = state.withLock { state -> LookupQueue.Waiter? in
            state.lastWaiter += 1
            let waiter = state.lastWaiter
            let question = LookupQueue.Question(host: host, family: family)
            guard state.queue.ask(question, by: asker, waiter: waiter) else { return nil }
            state.answers[waiter] = { promise.succeed($0) }
            return waiter
        }
        guard let waiter else {
            promise.fail(LookupFailure.tooMany)
            return Pending(addresses: promise.futureResult) {}
        }
        startNext()
        let cancel: @Sendable () -> Void = { [self] in if leave(waiter) { promise.fail(LookupFailure.timedOut) } }
        let expiry = loop.scheduleTask(in: patience, cancel)
        promise.futureResult.whenComplete { _ in expiry.cancel() }
        return Pending(addresses: promise.futureResult, cancel: cancel)
    }

    /// False where the answer has come already.
    private func leave(_ waiter: LookupQueue.Waiter) -> Bool {
        let wasWaiting = state.withLock { state in
            guard state.answers.removeValue(forKey: waiter) != nil else { return false }
            state.queue.leave(waiter)
            return true
        }
        if wasWaiting { startNext() }
        return wasWaiting
    }

    private func startNext() {
        for start in state.withLock({ $0.queue.starts() }) {
            let hasThread = LookupThread.run { [self] in
                end(start.job, find(start.question.host, start.question.family))
            }
            if !hasThread { end(start.job, []) }
        }
    }

    private func end(_ job: LookupQueue.Job, _ found: [SocketAddress]) {
        let answers = state.withLock { state in
            state.queue.ended(job).compactMap { state.answers.removeValue(forKey: $0) }
        }
        for answer in answers { answer(found) }
        startNext()
    }
}

/// One thread for one look-up, which ends with it.
private enum LookupThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs something on a new thread; false where the system has none left.
    static func run(_ body: @escaping @Sendable () -> Void) -> Bool {
        let argument = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        #if canImport(Glibc)
        var thread: pthread_t = 0
        #else
        var thread: pthread_t?
        #endif
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument)
        guard result == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(argument).release()
            return false
        }
        #if canImport(Glibc)
        pthread_detach(thread)
        #else
        if let thread { pthread_detach(thread) }
        #endif
        return true
    }
}
