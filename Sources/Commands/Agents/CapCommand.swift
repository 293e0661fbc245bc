import ArgumentParser
import Daemon
import Ledger
import Primitives

/// The command `purser cap`.
struct CapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cap", abstract: "How much agents, teams and the house may spend, from the next request on.",
        discussion: """
            Every cap that counts a payment has to admit it: those of the agent, of its team and of the house, on all of \
            their payments and on parts of them. HOLDER is an agent's name, agent:NAME, team:NAME or house.
            """,
        subcommands: [CapSetCommand.self, CapListCommand.self, CapRemoveCommand.self])
}

struct CapSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Set caps of an agent, a team or the house.",
        discussion: """
            LIMIT is \(CapLimit.form); with --asset also an amount of the token, such as day=2.5USDT, which is rounded \
            down to its atomic units. WINDOW is \(CapWindow.form); all are UTC, a week begins on Monday. A cap below what \
            is spent already stops all further payments in its window. Calls of a prepaid gateway need a cap that counts \
            payments.
            """)

    @Argument(help: "Whose payments.", transform: CapText.holder)
    var holder: CapHolder

    @Argument(help: ArgumentHelp("Limits, such as request=0.10 day=5 hour=100payments.", valueName: "limit"))
    var limits: [String]

    @OptionGroup var facets: FacetOptions
    @OptionGroup var options: StateOptions

    func run() async throws {
        let tokens = try options.tokens()
        let token = try facets.token(tokens)
        let limits = try limits.map { try CapText.limit($0, of: token) }
        try CapText.check(limits)
        let scope = CapScope(holder, facet: try facets.facet(tokens))
        let caps = limits.map { Cap(scope, $0) }
        for cap in caps { try cap.checkSoundness() }
        let (rulebook, usage) = try await options.withLedger { ledger in
            for cap in caps { try await ledger.setCap(cap, by: Operator.name, at: SystemClock().now()) }
            return (try await ledger.rulebook(), try await ledger.usage(at: SystemClock().now()))
        }
        CapOutput.show(usage.filter { $0.cap.scope == scope }, tokens: tokens, json: options.json)
        if case .gateway(let name) = scope.facet { options.noteUnknown(gateway: name) }
        if case .team(let team) = holder, !rulebook.agents.values.contains(where: { $0.team == team }) {
            Console.note("no agent is in team \(team): put one in with `purser agent team NAME \(team)`")
        }
    }
}

struct CapListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List caps and their use.",
        discussion: "For an agent, all caps that count its payments; for a team or the house, its own.")

    @Argument(help: "Whose caps (default: all).", transform: CapText.holder)
    var holder: CapHolder?

    @OptionGroup var options: StateOptions

    func run() async throws {
        let tokens = try options.tokens()
        let usage = try await options.withLedger { ledger in
            let now = SystemClock().now()
            if case .agent(let name) = holder { return try await ledger.usage(of: name, at: now) }
            let all = try await ledger.usage(at: now)
            return holder.map { holder in all.filter { $0.cap.scope.holder == holder } } ?? all
        }
        CapOutput.show(usage, tokens: tokens, json: options.json)
    }
}

struct CapRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove caps of an agent, a team or the house.",
        discussion: "An agent whose payments no cap in money counts pays nothing.")

    @Argument(help: "Whose cap.", transform: CapText.holder)
    var holder: CapHolder

    @Argument(help: "\(CapWindow.form); more than one if you like.", transform: CapText.window)
    var windows: [CapWindow]

    @Option(
        help: ArgumentHelp("dollars, units or payments (default: the only one there is).", valueName: "measure"),
        transform: Self.measure)
    var measure: CapMeasure?

    @OptionGroup var facets: FacetOptions
    @OptionGroup var options: StateOptions

    @Sendable private static func measure(_ text: String) throws -> CapMeasure {
        guard let measure = CapMeasure(rawValue: text) else {
            throw ValidationError("`\(text)` is not one of dollars, units, payments.")
        }
        return measure
    }

    func run() async throws {
        let tokens = try options.tokens()
        let scope = CapScope(holder, facet: try facets.facet(tokens))
        let usage = try await options.withLedger { ledger in
            let rulebook = try await ledger.rulebook()
            // All are looked for before any is removed.
            for key in try windows.map({ try key(of: $0, in: scope, rulebook) }) {
                _ = try await ledger.removeCap(key, by: Operator.name, at: SystemClock().now())
            }
            return try await ledger.usage(at: SystemClock().now()).filter { $0.cap.scope == scope }
        }
        CapOutput.show(usage, tokens: tokens, json: options.json)
    }

    private func key(of window: CapWindow, in scope: CapScope, _ rulebook: Rulebook) throws -> Cap.Key {
        let measures = measure.map { [$0] } ?? CapMeasure.allCases
        let found = measures.map { Cap.Key(scope, window, $0) }.filter { rulebook.cap($0) != nil }
        guard let key = found.first else {
            throw CommandFailure(.missing, "\(scope) has no cap for the window \(window)")
        }
        guard found.count == 1 else {
            let names = found.map(\.measure.rawValue).joined(separator: " and ")
            throw OperatorMistake("\(scope) has caps in \(names) for the window \(window): say which with --measure")
        }
        return key
    }
}
