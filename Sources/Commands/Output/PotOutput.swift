import Daemon
import Primitives

/// The pots that agents share, for people and for programs.
enum PotOutput {
    /// Adds them to an object, as a member `pots`.
    static func write(_ report: PotReport, to text: inout JSONText) {
        text.objects("pots", report.pots) { PotReport.write($1, to: &$0) }
    }

    /// Prints how each pot is divided.
    static func show(_ report: PotReport) {
        Console.print("")
        var table = Table([
            ("SHARED", .left), ("TOTAL", .right), ("USED", .right), ("LENT", .right), ("SHARE", .right),
            ("REFUSED", .right), ("TAKEN BACK", .right), ("HELD BY", .left),
        ])
        for pot in report.pots {
            func amount(_ units: Int) -> String { pot.unit == .bytes ? size(units) : "\(units)" }
            table.add([
                pot.gateway.map { "\(pot.name) \($0)" } ?? pot.name, amount(pot.total), amount(pot.used),
                amount(pot.lent), amount(pot.share), "\(pot.refused)", "\(pot.takenBack)",
                pot.top.map { "\($0.agent) \(amount($0.held))" }.joined(separator: ", "),
            ])
        }
        table.show()
    }

    /// Bytes in the largest unit of which there is one at least, rounded down to tenths.
    private static func size(_ bytes: Int) -> String {
        for (unit, length) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes >> length > 0 {
            let tenths = bytes >> length >= 1 << 20 ? (bytes >> length) * 10 : bytes * 10 >> length
            return tenths % 10 == 0 ? "\(tenths / 10) \(unit)" : "\(tenths / 10).\(tenths % 10) \(unit)"
        }
        return "\(bytes) B"
    }
}
