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
            Self.show(report, state: state, tokens: try TokenNames.load(state))
        }
        for gateway in report.configuration?.unprovenGateways ?? [] {
            Console.note("caps are not proven for \(gateway): it is set to release unproven payments at expiry")
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
            ConfigurationOutput.writeListeners(configuration, to: &text)
            text.objects("gateways", configuration.gateways) {
                ConfigurationOutput.write($1, state: state, to: &$0)
            }
            text.objects("chains", configuration.chains) { text, chain in
                ConfigurationOutput.write(chain, to: &text)
                guard let standing = report.chains.first(where: { $0.network == chain.network }) else { return }
                text.field("read_at", standing.readAt)
                text.field("problem", optional: standing.problem)
                text.field("disagreement", standing.isDisagreement)
                text.strings("left_out", standing.leftOut)
                text.field("final_block", optional: standing.block.map { "\($0)" })
                text.field("final_block_time", optional: standing.blockTime)
                text.field("agreed_at", optional: standing.agreedAt)
            }
            text.strings("caps_not_proven_for", configuration.unprovenGateways)
        }
        text.objects("freezes", report.freezes) { FreezeOutput.write($1, to: &$0) }
        text.objects("paused", report.pauses) { text, pause in
            text.field("scope", pause.scope)
            text.field("gateway", pause.gateway)
            text.field("agent", optional: pause.agent)
            text.field("route", optional: pause.route?.name)
            text.field("asset", optional: pause.route?.asset)
            if let count = pause.rejections { text.field("rejections", count) }
            text.field("cause", optional: pause.cause?.rawValue)
            text.field("reason", optional: pause.saysUnfunded ? "insufficient_funds" : nil)
            text.field("next_probe", pause.nextProbe.description)
        }
        text.objects("paused_wallets", report.pausedWallets) { text, pause in
            text.field("wallet", pause.wallet)
            text.field("account", pause.purse.payer)
            text.field("network", pause.purse.network)
            text.field("asset", "\(pause.purse.network)/\(pause.purse.asset)")
            text.field("symbol", pause.symbol)
            text.field("since", pause.since.description)
            text.field("cause", pause.cause)
            text.field("balance", optional: pause.balance)
            text.field("refused", optional: pause.refused)
            text.strings("hosts", pause.hosts)
            text.field("next_probe", pause.nextProbe.description)
            text.field("ends", pause.end)
        }
        text.objects("wallets", report.wallets) { WalletOutput.write($1, to: &$0) }
        text.objects("agents", report.agents) { AgentOutput.write($1, to: &$0) }
        text.object("open") { text in
            text.field("count", Int64(report.openCount))
            text.field("value_usd", report.openValue.description)
        }
        text.objects("totals", report.totals) { text, row in
            text.field("network", row.asset.split(separator: "/").first.map { String($0) } ?? "")
            text.field("asset", row.asset)
            text.field("settled", row.settled.description)
            text.field("exposed", row.exposed.description)
            text.field("presumed", row.presumed.description)
            text.field("released", row.released.description)
        }
        if let tunnels = report.tunnels { TunnelOutput.write(tunnels, to: &text) }
        if let pots = report.pots { PotOutput.write(pots, to: &text) }
        text.field("last_checkpoint", optional: report.lastCheckpoint?.day)
    }

    private static func show(_ report: StatusReport, state: StateDirectory, tokens: TokenNames) {
        let daemon =
            switch report.presence {
            case .running(let process?): "running (process \(process))"
            case .running(nil): "running"
            case .stopped: "not running"
            }
        Facts.show([
            (name: "state", value: state.root), (name: "daemon", value: daemon),
            (name: "open payments", value: "\(report.openCount), worth $\(report.openValue)"),
            (name: "last checkpoint", value: report.lastCheckpoint?.day ?? "none"),
        ])
        for freeze in report.freezes {
            Console.print("FROZEN           \(freeze.scope) \(FreezeOutput.words(on: freeze))")
        }
        for pause in report.pauses { Console.print("PAUSED           \(pause.words)") }
        for pause in report.pausedWallets { Console.print("PAUSED           \(pause.words)") }
        if let configuration = report.configuration { ConfigurationOutput.show(configuration) }
        for chain in report.chains { Console.print("\(chain.network): \(chain.words)") }
        Console.print("")
        WalletOutput.show(report.wallets)
        Console.print("")
        AgentOutput.show(report.agents, tokens: tokens)
        ExposureOutput.show(report.totals, tokens: tokens)
        if let tunnels = report.tunnels { TunnelOutput.show(tunnels) }
        if let pots = report.pots { PotOutput.show(pots) }
    }
}
