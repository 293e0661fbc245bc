import GRDBSQLite

/// SQLite without anything of ours around it.
@safe final class Bare {
    private let handle: OpaquePointer

    /// Opens or makes a file.
    init(_ path: String) throws(BenchError) {
        var handle: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
        guard unsafe sqlite3_open_v2(path, &handle, flags, nil) == SQLITE_OK, let handle = unsafe handle else {
            throw BenchError("\(path) cannot be opened")
        }
        unsafe self.handle = handle
    }

    deinit {
        unsafe sqlite3_close_v2(handle)
    }

    /// Runs statements.
    func run(_ sql: String) throws(BenchError) {
        guard unsafe sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure(sql) }
    }

    /// Compiles a statement.
    func prepare(_ sql: String) throws(BenchError) -> BareStatement {
        var statement: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement = unsafe statement else { throw failure(sql) }
        return unsafe BareStatement(statement)
    }

    /// The one number that a query gives.
    func number(_ sql: String) throws(BenchError) -> Int64 {
        let statement = try prepare(sql)
        return try statement.number()
    }

    private func failure(_ sql: String) -> BenchError {
        BenchError("SQLite: \(unsafe String(cString: sqlite3_errmsg(handle))) in \(sql.prefix(60))")
    }
}

/// A compiled statement; what is bound stays bound.
@safe final class BareStatement {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) {
        unsafe self.handle = handle
    }

    deinit {
        unsafe sqlite3_finalize(handle)
    }

    /// Binds a number.
    func bind(_ value: Int64, at place: Int32) {
        _ = unsafe sqlite3_bind_int64(handle, place, value)
    }

    /// Binds a text.
    func bind(_ value: String, at place: Int32) {
        let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        _ = unsafe sqlite3_bind_text(handle, place, value, -1, copied)
    }

    /// Binds a blob.
    func bind(_ value: [UInt8], at place: Int32) {
        let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        _ = unsafe sqlite3_bind_blob(handle, place, value, Int32(value.count), copied)
    }

    /// Binds words as a blob, in the order of memory.
    func bind(_ words: (UInt64, UInt64, UInt64, UInt64), count: Int32 = 32, at place: Int32) {
        let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        var words = words
        unsafe withUnsafeBytes(of: &words) { bytes in
            _ = unsafe sqlite3_bind_blob(handle, place, bytes.baseAddress, count, copied)
        }
    }

    /// Runs the statement to its end.
    func run() throws(BenchError) {
        let code = unsafe sqlite3_step(handle)
        _ = unsafe sqlite3_reset(handle)
        guard code == SQLITE_DONE || code == SQLITE_ROW else {
            throw BenchError("SQLite: \(unsafe String(cString: sqlite3_errmsg(sqlite3_db_handle(handle))))")
        }
    }

    /// The first column of the first row; 0 when there is none.
    func number() throws(BenchError) -> Int64 {
        defer { _ = unsafe sqlite3_reset(handle) }
        return unsafe sqlite3_step(handle) == SQLITE_ROW ? sqlite3_column_int64(handle, 0) : 0
    }
}
