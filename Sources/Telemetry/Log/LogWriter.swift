import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Writes log lines to a descriptor on a thread of its own: whoever logs waits for nobody who reads.
///
/// The descriptor may be a pipe that nobody empties or that is closed, or a file on a full disk. What cannot be written is
/// dropped and counted, in a line that is written once that works again.
package final class LogWriter: Sendable {
    /// Milliseconds until a descriptor that took nothing is tried again.
    private static let pause: Int32 = 250

    /// Milliseconds that the thread waits after a write before it looks for more lines.
    ///
    /// A program that logs much wakes the thread once for many lines: waking it costs more than writing a line.
    private static let gathering: UInt32 = 5

    private struct State {
        var queue: LogQueue
        /// Whether the thread looks into the queue again by itself.
        var isAwake = false
    }

    private let descriptor: Int32
    private let idle: @Sendable () -> Bool
    private let state: Mutex<State>
    private let hasWork = DispatchSemaphore(value: 0)
    /// Whether nothing waits and nothing is being written, for readers that may take no lock.
    private let isDone = Atomic<Bool>(true)

    /// Begins a thread that writes to `descriptor`, and lasts as long as the process.
    ///
    /// `capacity` is how many bytes may wait, and as many may be in the thread's hands; `report` is the line, with its end, for
    /// a number of lines that were dropped. `idle` is called when there is nothing to write, and again a second later where it
    /// returned true.
    package init(
        descriptor: Int32, capacity: Int = 1 << 20, report: @escaping @Sendable (_ dropped: Int) -> String,
        idle: @escaping @Sendable () -> Bool = { false }
    ) {
        self.descriptor = descriptor
        self.idle = idle
        state = Mutex(State(queue: LogQueue(capacity: capacity, report: report)))
        startThread()
    }

    /// Has a line with its end written; never waits.
    package func put(_ line: String) {
        let isAsleep = state.withLock { state in
            state.queue.append(line)
            isDone.store(false, ordering: .releasing)
            defer { state.isAwake = true }
            return !state.isAwake
        }
        if isAsleep { hasWork.signal() }
    }

    /// Whether every line has been written or dropped; safe to ask in a signal handler.
    package var hasWrittenAll: Bool { isDone.load(ordering: .acquiring) }

    /// Waits until every line has been written or dropped, for at most so many milliseconds.
    @discardableResult
    package func flush(milliseconds: Int) -> Bool {
        for _ in 0..<max(1, milliseconds) {
            if hasWrittenAll { return true }
            usleep(1000)
        }
        return hasWrittenAll
    }

    private func startThread() {
        #if canImport(Glibc)
        var thread = pthread_t()
        #else
        var thread: pthread_t?
        #endif
        let writer = unsafe Unmanaged.passRetained(self)
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                let writer: UnsafeMutableRawPointer? = unsafe argument
                guard let writer = unsafe writer else { return nil }
                unsafe Unmanaged<LogWriter>.fromOpaque(writer).takeRetainedValue().run()
            }, writer.toOpaque())
        // Without a thread every line is dropped, and the process goes on.
        if code != 0 { unsafe writer.release() }
    }

    private func run() -> Never {
        // Signals are for other threads, and a closed pipe is an error here and not the end of the process.
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
        var isWaiting = false
        var isCut = false
        while true {
            if isWaiting { _ = hasWork.wait(timeout: .now() + .seconds(1)) } else { hasWork.wait() }
            while let lines = take() {
                write(lines, afterCut: &isCut)
                wrote()
                // Lines gather meanwhile. Nobody waits for this thread but `flush`, which polls.
                usleep(Self.gathering * 1000)
            }
            isWaiting = idle()
        }
    }

    /// The next lines; nil where there are none, and from then on the next line wakes the thread.
    private func take() -> LogQueue.Taken? {
        state.withLock { state in
            guard !state.queue.isEmpty else {
                state.isAwake = false
                return nil
            }
            return state.queue.take()
        }
    }

    /// Notes that all lines were written or dropped, unless more have come.
    private func wrote() {
        state.withLock { if $0.queue.isEmpty { isDone.store(true, ordering: .releasing) } }
    }

    /// Writes lines; `isCut` says before and after it whether the last line that was written has no end.
    private func write(_ lines: LogQueue.Taken, afterCut isCut: inout Bool) {
        if isCut {
            guard unsafe systemWrite(descriptor, "\n", 1) == 1 else {
                state.withLock { $0.queue.wasCut(lines, after: 0) }
                return giveUp()
            }
            isCut = false
        }
        var rest = lines.bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe systemWrite(descriptor, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
                waitForRoom()
            } else if count == 0 || errno != EINTR {
                let written = rest.startIndex
                isCut = written > 0 && lines.bytes[written - 1] != UInt8(ascii: "\n")
                state.withLock { $0.queue.wasCut(lines, after: written) }
                return giveUp()
            }
        }
    }

    /// Somebody else has made the descriptor one that does not block.
    private func waitForRoom() {
        var place = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&place, 1, Self.pause)
    }

    /// Nothing is tried for a moment; what comes meanwhile waits as long as there is room.
    private func giveUp() {
        // A report on what was dropped is not waited for.
        state.withLock { if !$0.queue.hasLines { isDone.store(true, ordering: .releasing) } }
        usleep(UInt32(Self.pause) * 1000)
    }
}

/// The system's `write`, which the method of that name hides.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    unsafe write(descriptor, bytes, count)
}
