/// Where the current time comes from: the system's clock, or a test's.
package protocol WallClock: Sendable {
    /// The current wall-clock time.
    func now() -> Timestamp
}

/// Where unpredictable bytes come from: a CSPRNG, or a test's fixed sequence.
package protocol RandomSource: Sendable {
    /// 32 fresh bytes; throws when the system cannot give any, in which case nothing may be signed.
    func bytes32() throws(RandomnessUnavailable) -> Bytes32
}

/// The system's random generator failed.
package struct RandomnessUnavailable: Error, Equatable, Sendable {
    /// Makes the error.
    package init() {}
}
