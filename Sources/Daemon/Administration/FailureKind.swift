import Ledger
import LedgerSQLite
import Wallets

/// What kind of failure an error is, for exit codes.
package enum FailureKind: Sendable, Equatable {
    /// The input cannot mean anything.
    case badInput
    /// The configuration is wrong.
    case configuration
    /// Another daemon serves the state directory.
    case running
    /// What was named does not exist.
    case missing
    /// What would be made exists.
    case exists
    /// The ledger does not hold together.
    case unsound
    /// Everything else.
    case other

    /// The kind of an error of any module below.
    package init(_ error: any Error) {
        self =
            switch error {
            case is ConfigurationErrors, is PolicyTestsFailed, is PolicyPresenceError: .configuration
            case is WalletAdministrationError, is OperatorMistake: .badInput
            case let error as LedgerError: Self.kind(of: error)
            case let error as StateLockError: Self.kind(of: error)
            case let error as StateDirectoryError: Self.kind(of: error)
            case let error as WalletFileError: Self.kind(of: error)
            default: .other
            }
    }

    private static func kind(of error: LedgerError) -> FailureKind {
        switch error {
        case .unknownAgent, .unknownPayment: .missing
        case .agentExists: .exists
        case .unsound: .badInput
        case .damaged: .unsound
        default: .other
        }
    }

    private static func kind(of error: StateLockError) -> FailureKind {
        if case .held = error { .running } else { .other }
    }

    private static func kind(of error: StateDirectoryError) -> FailureKind {
        switch error {
        case .missing: .missing
        case .exists: .exists
        default: .other
        }
    }

    private static func kind(of error: WalletFileError) -> FailureKind {
        switch error {
        case .exists: .exists
        case .unreadable(_, let code) where FileSystem.isMissing(code): .missing
        default: .other
        }
    }
}
