package import Primitives
import Synchronization

/// A clock that stands still until a test moves it.
package final class FixedClock: WallClock {
    private let time: Mutex<Timestamp>

    /// Makes a clock; without an argument it shows 2026-11-22T00:00:00Z, the vectors' time.
    package init(_ time: Timestamp = Timestamp(seconds: 1_795_305_600)) {
        self.time = Mutex(time)
    }

    package func now() -> Timestamp {
        time.withLock { $0 }
    }

    /// Shows another time from now on.
    package func set(_ time: Timestamp) {
        self.time.withLock { $0 = time }
    }

    /// Moves on by whole seconds.
    package func advance(seconds: Int64) {
        time.withLock { $0 = $0.adding(seconds: seconds) }
    }
}

/// A repeatable sequence of bytes (SplitMix64), different for each seed.
package final class SeededRandom: RandomSource {
    private let state: Mutex<UInt64>

    /// Makes a sequence.
    package init(seed: UInt64) {
        self.state = Mutex(seed)
    }

    package func bytes32() throws(RandomnessUnavailable) -> Bytes32 {
        Bytes32(words: (word(), word(), word(), word()))
    }

    /// The next 64 bits.
    package func word() -> UInt64 {
        state.withLock { state in
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = state
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
    }
}

/// The same 32 bytes every time, or none at all.
package struct FixedRandom: RandomSource {
    private let value: Bytes32?

    /// Makes a source, where nil stands for a generator that fails; the vectors use the bytes 0 to 31.
    package init(_ value: Bytes32? = Bytes32(0..<32)) {
        self.value = value
    }

    package func bytes32() throws(RandomnessUnavailable) -> Bytes32 {
        guard let value else { throw RandomnessUnavailable() }
        return value
    }
}
