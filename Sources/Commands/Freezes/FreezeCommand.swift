import ArgumentParser
import Daemon
import Ledger
import Primitives

/// What is frozen or unfrozen.
struct FreezeOptions: ParsableArguments {
    @Flag(help: "Everything.")
    var all = false

    @Option(help: ArgumentHelp("One agent.", valueName: "name"))
    var agent: String?

    @Option(help: ArgumentHelp("One gateway.", valueName: "name"))
    var gateway: String?

    @Option(help: ArgumentHelp("One wallet, by its name in the configuration.", valueName: "name"))
    var wallet: String?

    func validate() throws {
        guard [all, agent != nil, gateway != nil, wallet != nil].count(where: { $0 }) == 1 else {
            throw ValidationError("Say one of --all, --agent NAME, --gateway NAME and --wallet NAME.")
        }
    }

    /// The scope.
    var scope: FreezeScope {
        if let agent { return .agent(agent) }
        if let gateway { return .gateway(gateway) }
        if let wallet { return .wallet(wallet) }
        return .everything
    }
}

/// The command `purser freeze`.
struct FreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze", abstract: "Sign nothing more, at once; prints what is still live.",
        discussion: """
            Nothing is reserved, signed or metered under a freeze from the next request on, sign-ins and approvals \
            included, and what is between its reservation and its signature is given up. Open tunnels and switched \
            connections are ended within a second, and none is opened. An answer that is under way comes to its end. \
            Authorizations that were handed out before can still be settled until their time is over: they are listed.
            """)

    @OptionGroup var scope: FreezeOptions

    @Option(help: "Why; kept in the journal.")
    var reason: String?

    @OptionGroup var options: StateOptions

    func run() async throws {
        try await Freezing.freeze(scope.scope, reason: reason, options)
    }
}

/// The command `purser unfreeze`.
struct UnfreezeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "unfreeze", abstract: "Lift a freeze.")

    @OptionGroup var scope: FreezeOptions
    @OptionGroup var options: StateOptions

    func run() async throws {
        try await Freezing.unfreeze(scope.scope, options)
    }
}

/// What both spellings of the commands do.
enum Freezing {
    /// Freezes, and tells what is still live.
    static func freeze(_ scope: FreezeScope, reason: String?, _ options: StateOptions) async throws {
        let now = SystemClock().now()
        let (freeze, isNew, live, generation) = try await options.withLedger { ledger in
            let rulebook = try await ledger.rulebook()
            if case .agent(let name) = scope, rulebook.agents[name] == nil { throw LedgerError.unknownAgent(name) }
            let freeze = Freeze(scope: scope, since: now, actor: Operator.name, reason: reason)
            let isNew = try await ledger.freeze(freeze)
            return (
                isNew ? freeze : rulebook.freezes[scope] ?? freeze, isNew,
                try await LiveAuthorizations.under(scope, in: ledger, at: now), ledger.currentGeneration
            )
        }
        let ended = await EndedTunnels.under(scope, since: generation, in: try options.existing())
        if options.json {
            JSONOutput.object { text in
                FreezeOutput.write(freeze, to: &text)
                text.field("changed", isNew)
                if case .ended(let count) = ended { text.field("tunnels_ended", Int64(count)) }
                text.objects("live", live) { PaymentOutput.write($1, to: &$0) }
            }
            if ended == .untold { Console.note(FreezeOutput.words(on: ended)) }
        } else {
            Console.print("\(scope) is frozen \(isNew ? "now" : "already, " + FreezeOutput.words(on: freeze)).")
            Console.print(FreezeOutput.words(on: ended))
            FreezeOutput.show(live: live)
        }
        if case .gateway(let name) = scope { options.noteUnknown(gateway: name) }
        if case .wallet(let name) = scope { options.noteUnknown(wallet: name) }
    }

    /// Lifts a freeze.
    static func unfreeze(_ scope: FreezeScope, _ options: StateOptions) async throws {
        let rest = try await options.withLedger { ledger in
            guard try await ledger.unfreeze(scope, by: Operator.name, at: SystemClock().now()) else {
                throw CommandFailure(.missing, "\(scope) is not frozen")
            }
            return try await ledger.rulebook().freezes.keys.map(\.description).sorted()
        }
        if options.json {
            JSONOutput.object { text in
                text.field("unfrozen", scope.description)
                text.strings("still_frozen", rest)
            }
        } else {
            Console.print("\(scope) is not frozen any more.")
            if !rest.isEmpty { Console.print("Still frozen: \(rest.joined(separator: ", ")).") }
        }
    }
}
