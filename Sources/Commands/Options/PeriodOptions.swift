import ArgumentParser
import Audit

/// A span of UTC days.
struct PeriodOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The first day, UTC (default: the beginning).", valueName: "date"))
    var from: String?

    @Option(help: ArgumentHelp("The first day behind it, UTC (default: no end).", valueName: "date"))
    var to: String?

    func validate() throws {
        _ = try period
    }

    /// The span.
    var period: Period {
        get throws {
            guard let period = Period(from: from, to: to) else {
                throw ValidationError("--from and --to are dates such as 2026-11-22, and --from is the earlier one.")
            }
            return period
        }
    }
}
