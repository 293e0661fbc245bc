import Daemon
import Primitives

/// Open tunnels and switched connections, for people and for programs.
enum TunnelOutput {
    /// Adds them to an object, as a member `tunnels`.
    static func write(_ report: TunnelReport, to text: inout JSONText) {
        text.object("tunnels") { text in
            text.field("at", report.at)
            text.objects("open", report.open) { text, row in
                text.field("agent", row.agent)
                text.field("kind", row.kind)
                text.field("gateway", optional: row.gateway)
                text.field("host", optional: row.host)
                text.field("count", Int64(row.count))
            }
            text.object("ended") { text in
                for (reason, count) in report.ended.sorted(by: { $0.key < $1.key }) {
                    text.field(reason, Int64(count))
                }
            }
        }
    }

    /// Prints what is open, and how many were ended.
    static func show(_ report: TunnelReport) {
        if !report.open.isEmpty {
            Console.print("")
            var table = Table([
                ("TUNNELS OF", .left), ("KIND", .left), ("GATEWAY", .left), ("HOST", .left), ("OPEN", .right),
            ])
            for row in report.open {
                table.add([row.agent, row.kind, row.gateway ?? "", row.host ?? "", "\(row.count)"])
            }
            table.show()
            if report.open.count == TunnelReport.rowLimit { Console.note("there may be more tunnels than are listed") }
        }
        guard !report.ended.isEmpty else { return }
        let reasons = report.ended.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        Console.print("")
        Console.print("Tunnels ended by the daemon since its start: \(reasons.joined(separator: ", ")).")
    }
}
