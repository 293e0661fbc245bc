import ArgumentParser
import Daemon
import Ledger
import Primitives

/// The command `purser cap`.
struct CapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cap", abstract: "How much agents may spend; changes hold from the next request.",
        subcommands: [CapSetCommand.self, CapListCommand.self, CapRemoveCommand.self])
}

struct CapSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set caps of an agent.",
        discussion: "A cap below what is spent already stops all further payments in its window.")

    @Argument(help: "The agent.")
    var agent: String

    @Argument(
        help: ArgumentHelp(
            "Limits in dollars, such as request=0.10 day=5 lifetime=100.", valueName: "window=dollars"),
        transform: CapText.cap)
    var caps: [Cap]

    @OptionGroup var options: StateOptions

    func validate() throws {
        try CapText.check(caps)
    }

    func run() async throws {
        let overview = try await options.withAgents { agents, ledger in
            for cap in caps { try await ledger.setCap(cap, of: agent) }
            return try await agents.overview(of: agent)
        }
        if options.json {
            JSONOutput.object { AgentOutput.write(overview, to: &$0) }
        } else {
            AgentOutput.showCaps([overview])
        }
    }
}

struct CapListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List caps and their use.")

    @Argument(help: "The agent (default: all).")
    var agent: String?

    @OptionGroup var options: StateOptions

    func run() async throws {
        let overviews = try await options.withAgents { agents, _ in
            if let agent { [try await agents.overview(of: agent)] } else { try await agents.overview() }
        }
        guard options.json else { return AgentOutput.showCaps(overviews) }
        let lines = overviews.flatMap { overview in overview.usage.map { (overview.name, $0) } }
        JSONOutput.array(lines) { text, line in
            text.field("agent", line.0)
            AgentOutput.write(line.1, to: &text)
        }
    }
}

struct CapRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove caps of an agent.",
        discussion: "An agent without any cap pays nothing; one with fewer caps is held by those that are left.")

    @Argument(help: "The agent.")
    var agent: String

    @Argument(help: "request, day or lifetime; more than one if you like.", transform: CapText.window)
    var windows: [CapWindow]

    @OptionGroup var options: StateOptions

    func run() async throws {
        let overview = try await options.withAgents { agents, ledger in
            for window in windows {
                guard try await ledger.removeCap(window, of: agent) else {
                    throw CommandFailure(.missing, "\(agent) has no cap for the window \(window.rawValue)")
                }
            }
            return try await agents.overview(of: agent)
        }
        if options.json {
            JSONOutput.object { AgentOutput.write(overview, to: &$0) }
        } else {
            AgentOutput.showCaps([overview])
        }
    }
}
