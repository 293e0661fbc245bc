import Synchronization

/// A value that everybody reads and somebody now and then replaces.
package final class Replaceable<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    /// Begins with a value.
    package init(_ value: Value) {
        self.value = Mutex(value)
    }

    /// The value as it is now.
    package var current: Value { value.withLock { $0 } }

    /// Puts another in its place.
    package func replace(with value: Value) {
        self.value.withLock { $0 = value }
    }
}
