/// Sentences for SQLite's result codes.
///
/// SQLite's own messages may quote the statement; these never hold a value of a payment.
package enum StorageFailure {
    /// The ledger was closed.
    static let closed = "it is closed"

    /// What went wrong and, where there is something to do, what; `code` is a primary or extended result code.
    package static func sentence(code: Int32) -> String {
        let reason =
            switch code & 0xff {
            case 5, 6: "another process held the write lock for too long"
            case 7: "out of memory"
            case 8: "the file or its folder is read-only"
            case 9: "the operation was interrupted"
            case 10: "the disk reported a read or write error"
            case 11: "the file is malformed; restore it from a copy, do not edit it"
            case 13: "the disk is full; free some space and try again"
            case 14: "the file cannot be opened; check the folder and its permissions"
            case 17: "another program changed the schema"
            case 19: "a row breaks a rule of the schema"
            case 21: closed
            case 26: "the file is not a ledger"
            default: "SQLite gave up"
            }
        return "\(reason) (SQLite \(code))"
    }
}
