import GRDB
import Ledger

/// Why a step did not happen, and how far the damage reaches.
///
/// A row that does not say what it must is the matter of the step that needs it: of one payment, one key, one cap or one
/// account. Rows that every step needs (agents, caps and freezes, the end of the journal) fail every step by themselves.
enum Fault: Error {
    /// Only this step is undone; the others of its batch go on.
    case step(LedgerError)
    /// The transaction cannot be trusted any more: the whole batch is undone.
    case batch(LedgerError)

    /// What the caller is told.
    var ledgerError: LedgerError {
        switch self {
        case .step(let error), .batch(let error): error
        }
    }

    /// The fault behind an error of the database library.
    init(_ error: any Error) {
        switch error {
        case let fault as Fault: self = fault
        case let error as LedgerError: self = .step(error)
        case let error as DatabaseError:
            self = .batch(.storage(StorageFailure.sentence(code: error.extendedResultCode.rawValue)))
        default: self = .batch(.storage("the database layer failed"))
        }
    }
}
