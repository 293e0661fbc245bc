import LedgerSQLite
import Primitives

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Measures the books: durable payments per second beside the disk's own commits, with and without a past.
@main
struct LedgerBench {
    static func main() async {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            try await run(options)
        } catch {
            complain("ledger-bench: \(error)")
            exit(1)
        }
    }

    private static func run(_ options: Options) async throws {
        let folder = try WorkFolder(options.folder, room: Past.bytes(of: options.past))
        defer { folder.remove() }
        var report = Report(options: options)
        report.disk = try DiskRate.measure(in: folder.path, seconds: options.seconds)
        let empty = try await Books.make(at: folder.path + "/small.db", named: "no past")
        var all = [empty]
        if options.past > 0 {
            let path = folder.path + "/large.db"
            let made = try await Books.make(at: path, named: "\(options.past) past payments")
            try made.ledger.close()
            report.fill = try Past.fill(path, payments: options.past)
            let (ledger, opening) = try Books.open(path)
            report.openings = opening
            all.append(Books(name: made.name, ledger: ledger))
        }
        for books in all { _ = try await Load.run(on: books, callers: 16, seconds: min(1, options.seconds)) }
        for round in 1...options.rounds {
            for callers in options.callers {
                for books in all {
                    let cell = try await Load.run(on: books, callers: callers, seconds: options.seconds)
                    report.add(cell, of: books.name, callers: callers)
                }
            }
            complain("round \(round) of \(options.rounds) is done")
        }
        // The disk is measured again, for others may have used it meanwhile.
        report.diskAfter = try DiskRate.measure(in: folder.path, seconds: options.seconds)
        for books in all { try books.ledger.close() }
        if options.past > 0 { report.fileBytes = WorkFolder.size(of: folder.path + "/large.db") }
        print(options.isJSON ? report.json : report.markdown)
    }
}

/// What may be asked of the program.
struct Options {
    /// How many settled payments the large books hold; 0 leaves them out.
    var past = 0
    /// How long each cell is measured, in seconds.
    var seconds = 2.0
    /// How often everything is measured; medians are printed.
    var rounds = 3
    /// How many callers wait for the books at the same time.
    var callers = [1, 16, 64, 256]
    /// Where the files go; a folder of its own is made in it.
    var folder = "."
    /// Whether the figures are printed as JSON.
    var isJSON = false

    static let usage = """
        usage: ledger-bench [--past N] [--seconds N] [--rounds N] [--callers N,N,…] [--folder PATH] [--json]
        """

    init(_ arguments: some Sequence<String>) throws(BenchError) {
        var rest = arguments.makeIterator()
        func misused(_ name: String) -> BenchError { BenchError("\(name) is not understood\n\(Self.usage)") }
        while let name = rest.next() {
            if name == "--json" {
                isJSON = true
                continue
            }
            guard let value = rest.next() else { throw misused(name) }
            switch name {
            case "--past": past = try Self.number(value)
            case "--seconds":
                guard let number = Double(value), number > 0 else { throw misused(value) }
                seconds = number
            case "--rounds": rounds = max(1, try Self.number(value))
            case "--callers":
                callers = []
                for part in value.split(separator: ",") { callers.append(max(1, try Self.number(String(part)))) }
            case "--folder": folder = value
            default: throw misused(name)
            }
        }
    }

    private static func number(_ text: String) throws(BenchError) -> Int {
        guard let number = Int(text), number >= 0 else { throw BenchError("\(text) is no number\n\(usage)") }
        return number
    }
}

/// Why nothing was measured.
struct BenchError: Error, CustomStringConvertible {
    /// One sentence.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Writes a line to the standard error, where progress does not mix with figures.
func complain(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = unsafe write(2, line, line.count)
}
