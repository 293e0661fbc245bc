import ArgumentParser
import Daemon
import Ledger
import Primitives

/// The command `purser agent`.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Who may spend: agents, their tokens and caps.",
        subcommands: [
            AgentAddCommand.self, AgentListCommand.self, AgentShowCommand.self, AgentTeamCommand.self,
            AgentTokenCommand.self, AgentFreezeCommand.self, AgentUnfreezeCommand.self, AgentRemoveCommand.self,
        ])
}

struct AgentAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an agent and print its token, this once.",
        discussion: "Only a hash of the token is kept. An agent whose payments no cap in money counts pays nothing.")

    @Argument(help: "1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first.")
    var name: String

    @Option(
        name: .customLong("cap"),
        help: ArgumentHelp(
            "A limit, \(CapLimit.form); may be repeated.", valueName: "limit"),
        transform: CapText.limit)
    var limits: [CapLimit] = []

    @Option(help: ArgumentHelp("The team it is in.", valueName: "name"))
    var team: String?

    @Option(help: ArgumentHelp("The wallet it pays from (default: the only one).", valueName: "name"))
    var wallet: String?

    @OptionGroup var options: StateOptions

    func validate() throws {
        guard NameRule.isName(name) else {
            throw ValidationError(
                "`\(name)` cannot name an agent: 1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first.")
        }
        if let team { try TeamText.check(team) }
        try CapText.check(limits)
    }

    func run() async throws {
        try checkWallet(in: options.existing())
        for limit in limits { try Cap(agent: name, limit).checkSoundness() }
        let (token, overview) = try await options.withAgents { agents, _ in
            let token = try await agents.add(name: name, wallet: wallet, team: team, limits: limits)
            return (token, try await agents.overview(of: name))
        }
        if overview.usage.isEmpty {
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
            AgentOutput.show(agents, tokens: try options.tokens())
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
        AgentOutput.show(agent, tokens: try options.tokens())
    }
}

struct AgentTeamCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "team", abstract: "Put an agent into a team, or take it out.",
        discussion: "The team's caps count its payments from the next request on; earlier ones stay where they were.")

    @Argument(help: "The agent.")
    var name: String

    @Argument(help: "The team.")
    var team: String?

    @Flag(help: "Take it out of its team.")
    var none = false

    @OptionGroup var options: StateOptions

    func validate() throws {
        guard (team != nil) != none else { throw ValidationError("Name a team, or say --none.") }
        if let team { try TeamText.check(team) }
    }

    func run() async throws {
        try await options.withAgents { agents, _ in try await agents.setTeam(team, of: name) }
        if options.json {
            JSONOutput.object { text in
                text.field("agent", name)
                text.field("team", optional: team)
            }
        } else {
            Console.print("Agent \(name) is in \(team.map { "team \($0)" } ?? "no team").")
        }
    }
}

struct AgentFreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze", abstract: "Sign nothing more for an agent; the same as `freeze --agent NAME`.")

    @Argument(help: "The agent.")
    var name: String

    @Option(help: "Why; kept in the journal.")
    var reason: String?

    @OptionGroup var options: StateOptions

    func run() async throws {
        try await Freezing.freeze(.agent(name), reason: reason, options)
    }
}

struct AgentUnfreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unfreeze", abstract: "Lift an agent's freeze; the same as `unfreeze --agent NAME`.")

    @Argument(help: "The agent.")
    var name: String

    @OptionGroup var options: StateOptions

    func run() async throws {
        try await Freezing.unfreeze(.agent(name), options)
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
        try await options.withAgents { agents, _ in try await agents.remove(name) }
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

/// Teams as they are typed.
private enum TeamText {
    static func check(_ text: String) throws {
        guard NameRule.isName(text) else {
            throw ValidationError(
                "`\(text)` cannot name a team: 1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first.")
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
