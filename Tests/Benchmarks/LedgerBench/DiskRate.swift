#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the disk gives without a ledger: commits per second, one after the other.
struct DiskRate {
    /// Writes of 4 KiB at the end of a file, each with an `fdatasync`.
    let plain: Double
    /// Transactions of one row in SQLite's write-ahead log with `synchronous = FULL`.
    let bare: Double

    /// Measures both, each for so long.
    static func measure(in folder: String, seconds: Double) throws(BenchError) -> DiskRate {
        DiskRate(
            plain: try plain(folder + "/plain", seconds: seconds), bare: try bare(folder + "/bare.db", seconds: seconds)
        )
    }

    private static func plain(_ path: String, seconds: Double) throws(BenchError) -> Double {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw BenchError("\(path) cannot be made") }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 7, count: 4096)
        let start = System.seconds
        var count = 0
        while System.seconds < start + seconds {
            guard unsafe pwrite(descriptor, page, page.count, off_t(count * page.count)) == page.count,
                flush(descriptor) == 0
            else { throw BenchError("\(path) cannot be written") }
            count += 1
        }
        return Double(count) / (System.seconds - start)
    }

    private static func flush(_ descriptor: Int32) -> Int32 {
        #if canImport(Glibc)
        fdatasync(descriptor)
        #else
        unsafe fcntl(descriptor, F_FULLFSYNC)
        #endif
    }

    private static func bare(_ path: String, seconds: Double) throws(BenchError) -> Double {
        let database = try Bare(path)
        try database.run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1")
        try database.run("CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, value BLOB)")
        let row = try database.prepare("INSERT INTO rows (value) VALUES (zeroblob(100))")
        let start = System.seconds
        var count = 0
        while System.seconds < start + seconds {
            try row.run()
            count += 1
        }
        return Double(count) / (System.seconds - start)
    }
}
