import GRDB
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Several holders of one ledger")
struct SharingTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path("ledger.sqlite")
    }

    @Test("a change made through one holder shows in the number of the other before it returns")
    func generation() async throws {
        let daemon = try SQLiteLedger(path: path)
        let tool = try SQLiteLedger(path: path)
        var snapshot = try await daemon.registry()
        #expect(daemon.generation.current == snapshot.generation)
        for number: UInt64 in 1...5 {
            try await tool.add(.sample("agent\(number)", number: number))
            #expect(daemon.generation.current != snapshot.generation)
            snapshot = try await daemon.registry()
            #expect(snapshot.agent(tokenHash: .numbered(number)) != nil)
            #expect(daemon.generation.current == snapshot.generation)
        }
        try await daemon.reserve(.sample(1))
        #expect(tool.generation.current == snapshot.generation)
    }

    @Test("a number left ahead by a change that failed is put right")
    func healing() async throws {
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample())
        try? await ledger.add(.sample("other", number: 1))
        let snapshot = try await ledger.registry()
        try overwriteNumber(with: 77)
        #expect(ledger.generation.current == 77)
        #expect(try await ledger.registry().generation == snapshot.generation)
        #expect(ledger.generation.current == snapshot.generation)
        try overwriteNumber(with: 78)
        let second = try SQLiteLedger(path: path)
        #expect(second.generation.current == snapshot.generation)
    }

    @Test("reject- a generation file that is a link, of either kind, or no file", arguments: ["link", "hard", "fifo"])
    func foreignNumber(kind: String) async throws {
        _ = try SQLiteLedger(path: path)
        let other = path + ".other"
        try #require(unsafe rename(path + ".generation", other) == 0)
        switch kind {
        case "link": try #require(unsafe symlink(other, path + ".generation") == 0)
        case "hard": try #require(unsafe link(other, path + ".generation") == 0)
        default: try #require(unsafe mkfifo(path + ".generation", 0o600) == 0)
        }
        let error = #expect(throws: LedgerError.self) { try SQLiteLedger(path: path) }
        #expect("\(error.map { "\($0)" } ?? "")".contains(".generation"))
        var status = stat()
        try #require(unsafe stat(other, &status) == 0)
        #expect(status.st_size == 8)
    }

    private func overwriteNumber(with number: UInt8) throws {
        let descriptor = unsafe open(path + ".generation", O_WRONLY)
        defer { close(descriptor) }
        let bytes: [UInt8] = [number, 0, 0, 0, 0, 0, 0, 0]
        try #require(unsafe write(descriptor, bytes, 8) == 8)
    }

    @Test("another process's change is seen, and its reservations count")
    func otherProcess() async throws {
        let daemon = try SQLiteLedger(path: path)
        try await daemon.add(.sample(caps: [CapLimit(.day, .cents(100))]))
        let snapshot = try await daemon.registry()
        await #expect(processExitsWith: .success) { [path = path as String] in
            let tool = try SQLiteLedger(path: path)
            try await tool.setCap(CapLimit(.day, .cents(2)), of: "scout")
            guard try await tool.reserve(.sample(1)).record != nil else { exit(1) }
        }
        #expect(daemon.generation.current != snapshot.generation)
        #expect(try await daemon.registry().agent(tokenHash: .numbered(1)) != nil)
        #expect(try await daemon.rulebook().allCaps.map(\.limit) == [CapLimit(.day, .cents(2))])
        #expect(try await daemon.reserve(.sample(2)).record != nil)
        #expect(try await daemon.reserve(.sample(3)).refusalCode == "cap-day")
    }

    @Test("two holders with 64 callers against a limit get exactly the limit")
    func twoHolders() async throws {
        let holders = [try SQLiteLedger(path: path), try SQLiteLedger(path: path)]
        try await holders[0].add(.sample(caps: [CapLimit(.lifetime, .cents(100))]))
        let granted = try await withThrowingTaskGroup(of: Bool.self) { group in
            for caller: UInt64 in 0..<128 {
                group.addTask {
                    let holder = holders[Int(caller % 2)]
                    return try await holder.reserve(.sample(caller, value: .cents(10))).record != nil
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(granted == 10)
        for holder in holders { #expect(try await holder.used(.lifetime) == .cents(100)) }
    }

    @Test("two processes with 64 callers each against a limit get exactly the limit")
    func twoProcesses() async throws {
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(100))]))
        async let first = #expect(processExitsWith: .success) { [path = path as String] in
            try await reserveTogether(path: path, numbers: 1000..<1064)
        }
        async let second = #expect(processExitsWith: .success) { [path = path as String] in
            try await reserveTogether(path: path, numbers: 2000..<2064)
        }
        _ = await (first, second)
        let records = try await ledger.payments(PaymentFilter(limit: 1000))
        // Of the refusals of one agent, code and minute each process books five.
        #expect(records.count == 20)
        #expect(records.count { $0.state == .reserved } == 10)
        #expect(try await ledger.used(.lifetime) == .cents(100))
    }

    @Test("a payment that fails behind what it wrote is undone alone, and the others of its commit are booked")
    func failingNeighbour() async throws {
        let ledger = try SQLiteLedger(path: path)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(100))]))
        try await ledger.add(.sample("giant", number: 2, caps: [CapLimit(.lifetime, .cents(100))]))
        let granted = await withTaskGroup(of: UInt64?.self) { group in
            for number: UInt64 in 1...60 {
                group.addTask {
                    // Every tenth wants an amount that its account can hold only once.
                    let isGiant = number.isMultiple(of: 10)
                    let intent = PaymentIntent.sample(
                        number, agent: isGiant ? "giant" : "scout", amount: isGiant ? .max : UInt256(1),
                        payer: isGiant ? "0x0A" : "0x0B")
                    return (try? await ledger.reserve(intent))?.record == nil ? nil : number
                }
            }
            return await group.reduce(into: Set<UInt64>()) { all, number in if let number { all.insert(number) } }
        }
        #expect(granted.count { !$0.isMultiple(of: 10) } == 54)
        #expect(granted.count { $0.isMultiple(of: 10) } == 1)
        #expect(try await ledger.payments(PaymentFilter(limit: 1000)).count == 55)
        #expect(try await ledger.used(.lifetime) == .cents(54))
        #expect(try await ledger.used(.lifetime, of: "giant") == .cents(1))
        let entries = try await ledger.read { (books) throws(LedgerError) in try books.entries(from: 1, limit: 1000) }
        #expect(entries.count { $0.line.kind == .payment } == 55)
        var previous = JournalEntry.origin
        for (number, entry) in zip(Int64(1)..., entries) {
            #expect(entry == JournalEntry(entry.line, number: number, at: entry.at, behind: previous))
            previous = entry.hash
        }
        // What the writer knows agrees with the rows.
        let balances = try await ledger.read { (books) throws(LedgerError) in try books.balances() }
        let exposed = balances.filter { $0.account == .exposed(agent: "scout") }
        #expect(exposed.map(\.debits) == [UInt256(54)])
    }

    @Test("several processes may open a new ledger at the same moment")
    func openingTogether() async throws {
        let path = path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number: UInt64 in 0..<8 {
                group.addTask {
                    let ledger = try SQLiteLedger(path: path)
                    try await ledger.add(.sample("agent\(number)", number: number))
                }
            }
            try await group.waitForAll()
        }
        #expect(try await SQLiteLedger(path: path).rulebook().agents.count == 8)
    }

    @Test("a writer that holds the file too long is named, and nothing is booked")
    func busy() async throws {
        let ledger = try SQLiteLedger(path: path, settings: .init(busyTimeout: .milliseconds(50)))
        try await ledger.add(.sample(caps: [CapLimit(.day, .cents(100))]))
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: path, configuration: configuration)
        try await other.writeWithoutTransaction { try $0.beginTransaction(.immediate) }
        await #expect(throws: LedgerError.storage("another process held the write lock for too long (SQLite 5)")) {
            try await ledger.reserve(.sample(1))
        }
        try await other.writeWithoutTransaction { try $0.rollback() }
        #expect(try await ledger.reserve(.sample(1)).record != nil)
        #expect(try await ledger.used(.day) == .cents(1))
    }

    @Test("only one holder of the state lock at a time, and it is named")
    func stateLock() throws {
        let lockPath = folder.path("daemon.lock")
        var lock: StateLock? = try StateLock(path: lockPath)
        #expect(lock != nil)
        #expect(throws: StateLockError.held(by: getpid())) { _ = try StateLock(path: lockPath) }
        lock = nil
        #expect(throws: Never.self) { _ = try StateLock(path: lockPath) }
        #expect(try folder.mode(of: "daemon.lock") == 0o600)
        #expect(throws: StateLockError.self) { _ = try StateLock(path: folder.path("missing/daemon.lock")) }
    }
}

/// 64 callers at once, one ledger of their own.
private func reserveTogether(path: String, numbers: Range<UInt64>) async throws {
    let ledger = try SQLiteLedger(path: path)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for number in numbers {
            group.addTask { try await ledger.reserve(.sample(number, value: .cents(10))) }
        }
        try await group.waitForAll()
    }
}
