package import NIOCore

/// Something on an event loop that must not wait for ever.
package protocol DeadlineBound: AnyObject {
    /// When it has waited long enough; nil while it waits for nothing.
    var deadline: NIODeadline? { get }
    /// Called once each sweep while the deadline has passed.
    func deadlinePassed()
}

/// Looks after the deadlines of one event loop.
///
/// One timer per loop visits everything registered, four times a second: a request then pays for a deadline with one
/// store, not with a timer of its own. Not thread-safe: every call is made on the loop.
package final class DeadlineSweep {
    /// How late a deadline may be noticed.
    package static let interval = TimeAmount.milliseconds(250)

    private let loop: any EventLoop
    private var members: [ObjectIdentifier: any DeadlineBound] = [:]
    private var timer: RepeatedTask?

    /// Makes a sweep for one loop.
    package init(loop: any EventLoop) {
        self.loop = loop
    }

    /// Starts looking after something, until ``remove(_:)``.
    package func add(_ member: any DeadlineBound) {
        loop.assertInEventLoop()
        members[ObjectIdentifier(member)] = member
        guard timer == nil else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
            bound.value.sweep()
        }
    }

    /// Stops looking after something.
    package func remove(_ member: any DeadlineBound) {
        loop.assertInEventLoop()
        members[ObjectIdentifier(member)] = nil
        if members.isEmpty {
            timer?.cancel()
            timer = nil
        }
    }

    private func sweep() {
        let now = NIODeadline.now()
        let passed = members.values.filter { $0.deadline.map { $0 <= now } ?? false }
        for member in passed { member.deadlinePassed() }
    }
}
