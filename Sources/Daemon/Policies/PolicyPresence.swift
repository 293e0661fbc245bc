import Ledger
import Logging
import Policy
package import Primitives

/// Why a daemon does not go on without a policy, or with one that the configuration says is not there.
package enum PolicyPresenceError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no file, and the books know that payments were decided by one.
    case missing(file: String, last: Bytes32)
    /// There is a file, and the configuration says that there is none.
    case contradiction(file: String)

    /// One line for an operator.
    package var description: String {
        switch self {
        case .missing(let file, let last):
            """
            there is no \(file), and payments were decided by the policy \(last) until now: put the file back, or write \
            `policy: none` in config.yaml to pay without a policy
            """
        case .contradiction(let file):
            "policy: config.yaml says `none`, but there is \(file): remove the line or the file"
        }
    }
}

/// Whether payments are decided by a policy, and whether that is what the operator wants.
///
/// An editor that saves may take the file away for a moment, and a mistake for good: its absence alone decides nothing.
enum PolicyPresence {
    /// Tells the books which policy is in force from now on, and the log where it is another one, or none.
    ///
    /// Throws ``PolicyPresenceError/missing(file:last:)`` when there is none any more and `isNoneMeant` does not say so, and
    /// what the books throw. Nothing is changed then.
    static func putInForce(
        _ policy: PolicyFile?, isNoneMeant: Bool, state: StateDirectory, books: any LedgerStore,
        clock: any WallClock, logger: Logger
    ) async throws {
        let hash = policy?.snapshot.hash
        let change = try await books.putInForce(
            hash, allowsNone: isNoneMeant, by: Operator.name, at: clock.now())
        if case .refused(let last) = change { throw PolicyPresenceError.missing(file: state.policyFile, last: last) }
        guard let policy else {
            return logger.notice(
                "no policy is in force: only the gateways' own limits and the caps decide",
                metadata: ["file": "\(state.policyFile)"])
        }
        logger.notice(
            "policy in force",
            metadata: [
                "hash": "\(policy.snapshot.hash)", "rules": "\(policy.snapshot.rules.rules.count)",
                "shadow": "\(policy.snapshot.rules.isShadow)", "changed": "\(change == .changed)",
            ])
    }
}
