import GRDB
package import Ledger
import Primitives
import Synchronization

/// The books in one SQLite file.
///
/// Every change is one transaction that is flushed to the disk before its caller goes on; changes that arrive together
/// share a flush. Several processes may have the same file open: caps are decided from the rows inside an IMMEDIATE
/// transaction, and changes of the registry are seen through ``generation``. Open a file once in each process.
package final class SQLiteLedger: Sendable {
    /// What may be set when a ledger is opened.
    package struct Settings: Sendable {
        /// How long a commit waits for another process that writes.
        package var busyTimeout: Duration
        /// How many milliseconds a step without hurry waits for another one's commit.
        package var leisure: Int
        /// The most pages of 4 KiB the file may have; nil leaves it to the disk.
        package var maximumPages: Int?
        /// Told of each commit: how many nanoseconds it took, and how many steps shared it.
        package var onCommit: @Sendable (_ nanoseconds: Int64, _ steps: Int) -> Void

        /// Makes settings.
        package init(
            busyTimeout: Duration = .seconds(10), leisure: Int = 5, maximumPages: Int? = nil,
            onCommit: @escaping @Sendable (_ nanoseconds: Int64, _ steps: Int) -> Void = { _, _ in }
        ) {
            self.busyTimeout = busyTimeout
            self.leisure = leisure
            self.maximumPages = maximumPages
            self.onCommit = onCommit
        }
    }

    /// The number of the newest change of agents, tokens and caps, made by whatever process.
    ///
    /// A holder of a registry compares it with the registry's own and calls ``registry()`` when they differ.
    package let generation: RegistryGeneration
    let pool: DatabasePool
    let writer: GroupCommit
    /// What this process has refused; kept in memory, so that counting costs no commit.
    let refusals = Mutex(RefusalCounter())

    /// Opens a ledger, making the file and its folder when they are missing, and brings its schema up to date.
    ///
    /// Blocks on the disk and, for up to the busy timeout, on other writers. Throws `storage` when the file cannot be
    /// used or would not be durable, and `newerSchema`.
    package init(path: String, settings: Settings = Settings()) throws(LedgerError) {
        let pool = try Connections.open(path: path, settings: settings)
        let generation = try RegistryGeneration(path: path + ".generation")
        do {
            try pool.writeWithoutTransaction { database in
                try Self.prepare(database, generation)
            }
        } catch {
            throw Fault(error).ledgerError
        }
        self.pool = pool
        self.generation = generation
        writer = GroupCommit(
            pool: pool, generation: generation, leisure: settings.leisure, onCommit: settings.onCommit)
    }

    /// Finishes what was begun and closes the file; later calls throw `storage`.
    package func close() throws(LedgerError) {
        writer.close()
        // Readers go first: the last connection to leave folds the log into the file, and a reader may not.
        pool.releaseMemory()
        do {
            try pool.close()
        } catch {
            throw Fault(error).ledgerError
        }
    }

    /// Reads the settings of the writing connection back; blocks until it is free.
    package func connectionSettings() throws(LedgerError) -> ConnectionSettings {
        do {
            return try pool.writeWithoutTransaction { try ConnectionSettings($0) }
        } catch {
            throw Fault(error).ledgerError
        }
    }

    /// Upgrades the schema and puts the shared number right, both under the write lock.
    private static func prepare(_ database: Database, _ generation: RegistryGeneration) throws(Fault) {
        try database.run("BEGIN IMMEDIATE")
        do throws(Fault) {
            try SchemaUpgrade.apply(Migration.all, to: database)
            generation.publish(try AgentRows.generation(in: database))
            try database.run("COMMIT")
        } catch {
            if database.isInsideTransaction { try? database.run("ROLLBACK") }
            throw error
        }
    }

    /// Reads from one consistent state of the books, on a reading connection's own queue.
    func query<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws(Fault) -> Value
    ) async throws(LedgerError) -> Value {
        let result: Result<Value, LedgerError> = await withCheckedContinuation { caller in
            pool.asyncRead { connection in
                do {
                    caller.resume(returning: .success(try body(try connection.get())))
                } catch {
                    caller.resume(returning: .failure(Fault(error).ledgerError))
                }
            }
        }
        return try result.get()
    }
}
