import ArgumentParser
import Audit
import Daemon
import Ledger
import Primitives

struct LedgerExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write the books out for other programs.",
        discussion: """
            csv and jsonl have a line for each payment, beancount and hledger a transaction for each transfer, entries the \
            whole journal with its hashes. Signatures are never written.
            """)

    @Option(
        help: ArgumentHelp(
            ExportFormat.allCases.map(\.rawValue).joined(separator: ", ") + ".", valueName: "format"),
        transform: Self.format)
    var format: ExportFormat

    @OptionGroup var period: PeriodOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The file to write, with mode 0600 (default: standard output).", valueName: "file"))
    var output: String?

    @Flag(help: "Replace the file where it exists.")
    var force = false

    @OptionGroup var options: StateOptions

    @Sendable private static func format(_ text: String) throws -> ExportFormat {
        guard let format = ExportFormat(rawValue: text) else {
            let known = ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("`\(text)` is not one of \(known).")
        }
        return format
    }

    func validate() throws {
        if options.json, output == nil {
            throw ValidationError("--json needs --output: the export itself goes to standard output.")
        }
        if force, output == nil { throw ValidationError("--force needs --output.") }
    }

    func run() async throws {
        let period = try period.period
        let assets = try options.tokens().table
        guard let output else {
            // The reader's thread does not know whose console this is.
            let console = Console.current
            return try await options.withLedger { ledger in
                try await LedgerExport.write(format, of: period, from: ledger, assets: assets) {
                    console.output(String(decoding: $0, as: UTF8.self))
                }
            }
        }
        let file = try Path.absolute(output)
        do {
            try await options.withLedger { ledger in
                try await LedgerExport.write(
                    format, of: period, from: ledger, assets: assets, file: file, replacing: force)
            }
        } catch StateDirectoryError.exists {
            throw CommandFailure(.exists, "\(file) exists already: replace it with --force")
        }
        if options.json {
            JSONOutput.object { text in
                text.field("file", file)
                text.field("format", format.rawValue)
            }
        } else {
            Console.print("Wrote \(file).")
        }
    }
}
