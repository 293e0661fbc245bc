package import Ledger
import LedgerSQLite

/// The ledger of a state directory, for as long as one command needs it.
package enum Books {
    /// Opens the ledger, making it when it is missing, and closes it when the work is done.
    ///
    /// Throws what the state directory, the ledger and the work throw.
    package static func with<Value>(
        _ state: StateDirectory, _ work: (any LedgerStore) async throws -> Value
    ) async throws -> Value {
        try state.check()
        try state.checkWriting()
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        let value: Value
        do {
            value = try await work(ledger)
        } catch {
            try? ledger.close()
            throw error
        }
        try ledger.close()
        return value
    }
}
