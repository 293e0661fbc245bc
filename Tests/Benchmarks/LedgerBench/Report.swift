import Primitives

/// What was measured, as a table for people or as JSON for programs.
struct Report {
    /// What was asked.
    let options: Options
    /// The disk before the payments.
    var disk = DiskRate(plain: 0, bare: 0)
    /// The disk behind them.
    var diskAfter = DiskRate(plain: 0, bare: 0)
    /// How the past was filled.
    var fill: Past.Filling?
    /// How long the books with a past take to open.
    var openings: Openings?
    /// The size of the file with a past behind all payments.
    var fileBytes = 0
    private var names: [String] = []
    private var cells: [String: [Int: [Cell]]] = [:]

    init(options: Options) {
        self.options = options
    }

    /// Adds a cell of a round.
    mutating func add(_ cell: Cell, of name: String, callers: Int) {
        if !names.contains(name) { names.append(name) }
        cells[name, default: [:]][callers, default: []].append(cell)
    }

    private func all(_ name: String, _ callers: Int) -> [Cell] { cells[name]?[callers] ?? [] }

    private func median(_ name: String, _ callers: Int, _ value: (Cell) -> Double) -> Double {
        all(name, callers).map(value).median
    }

    /// The cost of a payment with a past over that without one, round by round; nil without a past.
    private func ratio(_ callers: Int, _ value: (Cell) -> Double) -> Double? {
        guard names.count == 2 else { return nil }
        return zip(all(names[1], callers), all(names[0], callers)).map { value($0) / value($1) }.median
    }

    var markdown: String {
        var lines = [
            "\(Sample.agents) agents with three caps each, team and house caps; every payment is set aside and settled, "
                + "each with `synchronous = FULL`; \(options.rounds) rounds of \(Self.text(options.seconds, 0)) s a cell, "
                + "medians",
            "",
            "| Books | callers | payments/s | durable steps per plain commit | CPU per payment | in the kernel | reserve p50 / p99 "
                + "| settle p50 / p99 |",
            "|---|---|---|---|---|---|---|---|",
        ]
        let plain = (disk.plain + diskAfter.plain) / 2
        for name in names {
            for callers in options.callers {
                func of(_ digits: Int, _ value: (Cell) -> Double) -> String {
                    Self.text(median(name, callers, value), digits)
                }
                let steps = median(name, callers) { $0.rate } * 2 / plain
                lines.append(
                    "| \(name) | \(callers) | \(of(0) { $0.rate }) | \(Self.text(steps, 2)) | \(of(0) { $0.cpu }) us "
                        + "| \(of(0) { $0.kernel }) us "
                        + "| \(of(2) { $0.reserving.quantile(0.5) }) / \(of(2) { $0.reserving.quantile(0.99) }) ms "
                        + "| \(of(2) { $0.settling.quantile(0.5) }) / \(of(2) { $0.settling.quantile(0.99) }) ms |")
            }
        }
        lines += [
            "",
            "Disk before / behind: 4 KiB and fdatasync \(Self.text(disk.plain, 0)) / \(Self.text(diskAfter.plain, 0)) "
                + "a second; SQLite, one row a commit, \(Self.text(disk.bare, 0)) / \(Self.text(diskAfter.bare, 0)).",
        ]
        if let fill, let openings {
            let cost = options.callers.compactMap { callers in
                ratio(callers) { $0.cpu }.map { "\(callers): \(Self.text($0, 2))" }
            }
            let time = options.callers.compactMap { callers in
                ratio(callers) { 1 / $0.rate }.map { "\(callers): \(Self.text($0, 2))" }
            }
            lines += [
                "With the past over without: CPU \(cost.joined(separator: ", ")); time \(time.joined(separator: ", ")).",
                "The books with a past open in \(Self.text(openings.cold * 1e3, 0)) ms from the disk, "
                    + "\(Self.text(openings.warm * 1e3, 0)) ms from memory; "
                    + "\(Self.text(Double(fill.bytes) / 1e9, 2)) GB, filled in \(Self.text(fill.seconds, 0)) s "
                    + "(hashes random).",
            ]
        }
        return lines.joined(separator: "\n")
    }

    var json: String {
        var text = JSONText()
        func micro(_ value: Double) -> Int64 { value.isFinite ? Int64((value * 1e3).rounded()) : 0 }
        text.object { text in
            text.object("commitsPerSecond") { text in
                text.field("plain", Int64(disk.plain))
                text.field("plainAfter", Int64(diskAfter.plain))
                text.field("sqlite", Int64(disk.bare))
                text.field("sqliteAfter", Int64(diskAfter.bare))
            }
            text.array("cells") { text in
                for name in names {
                    for callers in options.callers {
                        text.object { text in
                            text.field("books", name)
                            text.field("callers", Int64(callers))
                            text.field("paymentsPerSecond", Int64(median(name, callers) { $0.rate }))
                            text.field("cpuNanoseconds", micro(median(name, callers) { $0.cpu }))
                            text.field("kernelNanoseconds", micro(median(name, callers) { $0.kernel }))
                            text.field("reserveP50us", micro(median(name, callers) { $0.reserving.quantile(0.5) }))
                            text.field("reserveP99us", micro(median(name, callers) { $0.reserving.quantile(0.99) }))
                            text.field("settleP50us", micro(median(name, callers) { $0.settling.quantile(0.5) }))
                            text.field("settleP99us", micro(median(name, callers) { $0.settling.quantile(0.99) }))
                        }
                    }
                }
            }
            guard let fill, let openings else { return }
            text.object("past") { text in
                text.field("payments", Int64(options.past))
                text.field("fillMilliseconds", micro(fill.seconds))
                text.field("filledBytes", Int64(fill.bytes))
                text.field("bytes", Int64(fileBytes))
                text.field("coldOpenMicroseconds", Int64(openings.cold * 1e6))
                text.field("warmOpenMicroseconds", Int64(openings.warm * 1e6))
                text.array("ratios") { text in
                    for callers in options.callers {
                        text.object { text in
                            text.field("callers", Int64(callers))
                            text.field("cpuPermille", micro(ratio(callers) { $0.cpu } ?? 0))
                            text.field("timePermille", micro(ratio(callers) { 1 / $0.rate } ?? 0))
                        }
                    }
                }
            }
        }
        return text.string
    }

    private static func text(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "-" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((value * scale).rounded())
        guard digits > 0 else { return String(whole) }
        let fraction = String(whole % Int64(scale))
        return "\(whole / Int64(scale))." + String(repeating: "0", count: digits - fraction.count) + fraction
    }
}
