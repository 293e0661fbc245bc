/// Why a secret could not be given a safe place.
package enum SecretMemoryError: Error, Equatable, Sendable {
    /// The system gave no memory.
    case exhausted
    /// The memory could not be locked against swapping; `limit` is RLIMIT_MEMLOCK in bytes.
    case lockRefused(limit: UInt64)
    /// The memory could not be kept out of core dumps, or its protection could not be set.
    case protectionRefused
    /// The random generator failed.
    case randomnessUnavailable
    /// The bytes were never written: what was to fill the memory gave up.
    case notFilled
}

extension SecretMemoryError: CustomStringConvertible {
    /// A sentence for an operator.
    package var description: String {
        switch self {
        case .exhausted: "no memory is left for a secret"
        case .lockRefused(let limit):
            "a secret could not be locked in memory: the limit is \(limit) bytes (raise `ulimit -l` or LimitMEMLOCK=)"
        case .protectionRefused: "a secret could not be kept out of core dumps"
        case .randomnessUnavailable: "the system's random generator failed"
        case .notFilled: "a secret could not be read"
        }
    }
}
