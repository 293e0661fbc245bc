import ArgumentParser
import Daemon
import Ledger
import Primitives

/// The command `purser status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show the daemon, its configuration, the wallets, caps and open payments.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let state = try options.existing()
        let report = try await Books.with(state) { ledger in
            try await StatusReport.make(of: state, ledger: ledger, clock: SystemClock(), random: SystemSources.random)
        }
        if options.json {
            JSONOutput.object { Self.write(report, state: state, to: &$0) }
        } else {
            Self.show(report, state: state)
        }
        if let problem = report.configurationProblem { throw CommandFailure(.configuration, problem) }
    }

    private static func write(_ report: StatusReport, state: StateDirectory, to text: inout JSONText) {
        text.field("state", state.root)
        text.object("daemon") { text in
            switch report.presence {
            case .running(let process):
                text.field("running", true)
                if let process { text.field("pid", Int64(process)) }
            case .stopped: text.field("running", false)
            }
        }
        if let configuration = report.configuration {
            text.field("listen", configuration.listen.description)
            text.objects("gateways", configuration.gateways) { ConfigurationOutput.write($1, to: &$0) }
        }
        text.objects("wallets", report.wallets) { WalletOutput.write($1, to: &$0) }
        text.objects("agents", report.agents) { AgentOutput.write($1, to: &$0) }
        text.object("open") { text in
            text.field("count", Int64(report.openCount))
            text.field("value_usd", report.openValue.description)
        }
    }

    private static func show(_ report: StatusReport, state: StateDirectory) {
        let daemon =
            switch report.presence {
            case .running(let process?): "running (process \(process))"
            case .running(nil): "running"
            case .stopped: "not running"
            }
        Facts.show([
            (name: "state", value: state.root), (name: "daemon", value: daemon),
            (name: "open payments", value: "\(report.openCount), worth $\(report.openValue)"),
        ])
        if let configuration = report.configuration { ConfigurationOutput.show(configuration) }
        Console.print("")
        WalletOutput.show(report.wallets)
        Console.print("")
        AgentOutput.show(report.agents)
    }
}

/// Configurations, for people and for programs.
enum ConfigurationOutput {
    /// Adds a gateway's members to an object.
    static func write(_ gateway: Configuration.GatewayEntry, to text: inout JSONText) {
        text.field("gateway", gateway.name)
        text.field("url", gateway.url)
        text.strings("paths", gateway.paths)
    }

    /// Prints where the daemon listens and what it reaches.
    static func show(_ configuration: Configuration) {
        Facts.show([(name: "listens on", value: "http://\(configuration.listen)")])
        Console.print("")
        guard !configuration.gateways.isEmpty else {
            Console.print("no gateways")
            return
        }
        var table = Table([("GATEWAY", .left), ("URL", .left), ("PATHS", .left), ("KEY", .left)])
        for gateway in configuration.gateways {
            table.add([
                gateway.name, gateway.url, gateway.paths.joined(separator: " "), gateway.credential?.file ?? "",
            ])
        }
        table.show()
    }
}
