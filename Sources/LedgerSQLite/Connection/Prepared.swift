import GRDB
import GRDBSQLite
import Ledger
import Primitives

/// One cached prepared statement with typed binding and reading.
///
/// It drives SQLite directly because the database library's argument and row types copy every blob through
/// Foundation's `Data`, which costs more than the statements themselves. Positions run by themselves: values are bound
/// and read in the order of the text. The end of its life resets it.
@safe struct Prepared: ~Copyable {
    private let statement: Statement
    private let handle: OpaquePointer
    private var nextParameter: Int32 = 1
    private var nextColumn: Int32 = 0

    /// Takes the statement from the connection's cache, compiling it the first time.
    init(_ sql: String, in database: Database) throws(Fault) {
        do {
            statement = try database.cachedStatement(sql: sql)
        } catch {
            throw Fault(error)
        }
        unsafe handle = statement.sqliteStatement
    }

    deinit {
        // A statement that is left in the middle of its rows would keep its snapshot, so it never outlives its use.
        _ = unsafe sqlite3_reset(handle)
    }

    // MARK: Binding

    /// Binds the next parameter.
    mutating func bind(_ value: Int64?) {
        if let value {
            _ = unsafe sqlite3_bind_int64(handle, nextParameter, value)
        } else {
            _ = unsafe sqlite3_bind_null(handle, nextParameter)
        }
        nextParameter += 1
    }

    /// Binds the next parameter as UTF-8 text.
    mutating func bind(_ value: String?) {
        if let value {
            _ = unsafe sqlite3_bind_text(handle, nextParameter, value, Int32(value.utf8.count), Self.copied)
        } else {
            _ = unsafe sqlite3_bind_null(handle, nextParameter)
        }
        nextParameter += 1
    }

    /// Binds the next parameter as a blob.
    mutating func bind(_ value: [UInt8]?) {
        if let value {
            _ =
                value.isEmpty
                ? unsafe sqlite3_bind_zeroblob(handle, nextParameter, 0)
                : unsafe sqlite3_bind_blob(handle, nextParameter, value, Int32(value.count), Self.copied)
        } else {
            _ = unsafe sqlite3_bind_null(handle, nextParameter)
        }
        nextParameter += 1
    }

    /// Binds the next parameter as a blob of 32 bytes.
    mutating func bind(_ value: Bytes32?) {
        if let words = value?.words {
            var bytes = (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian)
            unsafe withUnsafeBytes(of: &bytes) { bytes in
                _ = unsafe sqlite3_bind_blob(handle, nextParameter, bytes.baseAddress, 32, Self.copied)
            }
        } else {
            _ = unsafe sqlite3_bind_null(handle, nextParameter)
        }
        nextParameter += 1
    }

    /// Binds the next parameter as a time in milliseconds.
    mutating func bind(_ value: Timestamp) { bind(value.milliseconds) }

    /// Binds the next parameter as an amount: 32 bytes, big-endian.
    mutating func bind(_ value: UInt256?) { bind(value?.bigEndianBytes) }

    /// `SQLITE_TRANSIENT`: SQLite copies the bytes before the call returns.
    private static var copied: sqlite3_destructor_type {
        unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    // MARK: Stepping

    /// Goes to the next row; false when there is none.
    mutating func step() throws(Fault) -> Bool {
        nextColumn = 0
        let code = unsafe sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw failure(code)
        }
    }

    /// Runs a statement that gives no rows.
    mutating func run() throws(Fault) {
        while try step() {}
    }

    /// Runs an insertion; false when a UNIQUE rule or primary key stands against it.
    mutating func insert() throws(Fault) -> Bool {
        let code = unsafe sqlite3_step(handle)
        if code == SQLITE_DONE { return true }
        let extended = extendedCode
        if extended == uniqueViolation || extended == primaryKeyViolation { return false }
        throw failure(code)
    }

    private var extendedCode: Int32 {
        unsafe sqlite3_extended_errcode(sqlite3_db_handle(handle))
    }

    /// A broken rule undoes only the statement, since some row says what it must not; after anything else the transaction
    /// is not to be trusted.
    private func failure(_ code: Int32) -> Fault {
        let sentence = StorageFailure.sentence(code: extendedCode)
        return code & 0xff == SQLITE_CONSTRAINT ? .step(.damaged(sentence)) : .batch(.storage(sentence))
    }

    private var uniqueViolation: Int32 { SQLITE_CONSTRAINT | 8 << 8 }
    private var primaryKeyViolation: Int32 { SQLITE_CONSTRAINT | 6 << 8 }

    // MARK: Reading

    /// Passes over the next column when it is NULL.
    mutating func skipNull() -> Bool {
        guard unsafe sqlite3_column_type(handle, nextColumn) == SQLITE_NULL else { return false }
        nextColumn += 1
        return true
    }

    /// The next column as an integer; 0 when it is NULL.
    mutating func integer() -> Int64 {
        defer { nextColumn += 1 }
        return unsafe sqlite3_column_int64(handle, nextColumn)
    }

    /// The next column as text; empty when it is NULL.
    mutating func text() -> String {
        defer { nextColumn += 1 }
        guard let start = unsafe sqlite3_column_text(handle, nextColumn) else { return "" }
        let count = Int(unsafe sqlite3_column_bytes(handle, nextColumn))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// The next column as bytes; empty when it is NULL.
    mutating func blob() -> [UInt8] {
        defer { nextColumn += 1 }
        guard let start = unsafe sqlite3_column_blob(handle, nextColumn) else { return [] }
        let count = Int(unsafe sqlite3_column_bytes(handle, nextColumn))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// The next column as 32 bytes; nil when it is anything else.
    mutating func bytes32() -> Bytes32? {
        defer { nextColumn += 1 }
        guard let start = unsafe sqlite3_column_blob(handle, nextColumn),
            unsafe sqlite3_column_bytes(handle, nextColumn) == 32
        else { return nil }
        func word(_ index: Int) -> UInt64 {
            UInt64(bigEndian: unsafe start.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
        }
        return Bytes32(words: (word(0), word(1), word(2), word(3)))
    }

    /// The next column as a time in milliseconds.
    mutating func timestamp() -> Timestamp { Timestamp(milliseconds: integer()) }

    /// The next column as an amount of 32 bytes; nil when it is anything else.
    mutating func amount() -> UInt256? { bytes32().map { UInt256(bigEndian: $0) } }

    /// The next column as 32 bytes; nil when it is NULL or anything else.
    mutating func optionalBytes32() -> Bytes32? { skipNull() ? nil : bytes32() }

    /// The next column as an integer, or nil when it is NULL.
    mutating func optionalInteger() -> Int64? { skipNull() ? nil : integer() }

    /// The next column as text, or nil when it is NULL.
    mutating func optionalText() -> String? { skipNull() ? nil : text() }

    /// The next column as bytes, or nil when it is NULL.
    mutating func optionalBlob() -> [UInt8]? { skipNull() ? nil : blob() }
}
