import ArgumentParser
import Daemon
import Ledger
import Primitives

/// The command `purser agent`.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Who may spend: agents, their tokens and caps.",
        subcommands: [
            AgentAddCommand.self, AgentListCommand.self, AgentShowCommand.self, AgentTokenCommand.self,
            AgentRemoveCommand.self,
        ])
}

extension StateOptions {
    /// Opens the books and lends the operations on agents.
    func withAgents<Value>(_ work: (AgentAdministration, any LedgerStore) async throws -> Value) async throws -> Value {
        try await Books.with(try existing()) { ledger in
            let agents = AgentAdministration(ledger: ledger, clock: SystemClock(), random: SystemSources.random)
            return try await work(agents, ledger)
        }
    }
}

struct AgentAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an agent and print its token, this once.",
        discussion: "Only a hash of the token is kept. An agent without a cap pays nothing.")

    @Argument(help: "1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first.")
    var name: String

    @Option(
        name: .customLong("cap"),
        help: ArgumentHelp(
            "A limit in dollars for the window request, day (UTC) or lifetime; may be repeated.",
            valueName: "window=dollars"),
        transform: CapText.cap)
    var caps: [Cap] = []

    @Option(help: ArgumentHelp("The wallet it pays from (default: the only one).", valueName: "name"))
    var wallet: String?

    @OptionGroup var options: StateOptions

    func validate() throws {
        guard NameRule.isName(name) else {
            throw ValidationError(
                "`\(name)` cannot name an agent: 1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first.")
        }
        try CapText.check(caps)
    }

    func run() async throws {
        try checkWallet(in: options.existing())
        let token = try await options.withAgents { agents, _ in
            try await agents.add(name: name, wallet: wallet, caps: caps)
        }
        if caps.isEmpty {
            Console.note("\(name) has no cap and pays nothing: set one with `purser cap set \(name) day=5`")
        }
        TokenOutput.show(token, of: name, isNew: true, json: options.json)
    }

    /// A wallet that is named has to be configured; where one has to be chosen, the operator is told.
    private func checkWallet(in state: StateDirectory) throws {
        guard state.hasConfiguration, let configuration = try? state.loadConfiguration() else { return }
        let names = configuration.wallets.map(\.name)
        if let wallet {
            guard names.contains(wallet) else {
                let known = names.isEmpty ? "there is none" : "there are \(names.joined(separator: ", "))"
                throw CommandFailure(.missing, "the configuration has no wallet `\(wallet)`; \(known)")
            }
        } else if names.count > 1 {
            Console.note("there are \(names.count) wallets: \(name) pays nothing until it is added with --wallet")
        }
    }
}

struct AgentListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List agents and their caps.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let agents = try await options.withAgents { agents, _ in try await agents.overview() }
        if options.json {
            JSONOutput.array(agents) { AgentOutput.write($1, to: &$0) }
        } else {
            AgentOutput.show(agents)
        }
    }
}

struct AgentShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one agent.")

    @Argument(help: "The agent.")
    var name: String

    @OptionGroup var options: StateOptions

    func run() async throws {
        let agent = try await options.withAgents { agents, _ in try await agents.overview(of: name) }
        guard !options.json else { return JSONOutput.object { AgentOutput.write(agent, to: &$0) } }
        Facts.show([
            (name: "agent", value: agent.name), (name: "wallet", value: agent.wallet ?? "the only one"),
            (name: "added", value: agent.addedAt.description),
        ])
        Console.print("")
        AgentOutput.showCaps([agent])
    }
}

struct AgentTokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Give an agent a new token and print it, this once.",
        discussion: "The old token is dead from the next request.")

    @Argument(help: "The agent.")
    var name: String

    @OptionGroup var options: StateOptions

    func run() async throws {
        let token = try await options.withAgents { agents, _ in try await agents.replaceToken(of: name) }
        TokenOutput.show(token, of: name, isNew: false, json: options.json)
    }
}

struct AgentRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove an agent, its token and its caps; its payments stay in the books.")

    @Argument(help: "The agent.")
    var name: String

    @OptionGroup var options: StateOptions

    func run() async throws {
        try await options.withAgents { _, ledger in try await ledger.removeAgent(name) }
        if options.json {
            JSONOutput.object { text in
                text.field("agent", name)
                text.field("removed", true)
            }
        } else {
            Console.print("Agent \(name) is removed.")
        }
    }
}

/// The one place where a token is printed.
private enum TokenOutput {
    static func show(_ token: String, of name: String, isNew: Bool, json: Bool) {
        if json {
            JSONOutput.object { text in
                text.field("agent", name)
                text.field("token", token)
            }
        } else {
            Console.print("Agent \(name) \(isNew ? "is added" : "has a new token"). The token is shown this once:")
            Console.print("")
            Console.print("  \(token)")
        }
    }
}
