import ArgumentParser
import Daemon
import Primitives

/// The command `purser serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the daemon until SIGINT or SIGTERM.",
        discussion: """
            The log goes to standard error. SIGHUP, or `purser config reload`, has config.yaml and policy.yaml read again.
            """)

    @OptionGroup var accepted: AcceptedAddresses
    @OptionGroup var options: StateOptions

    func run() async throws {
        let sockets = try SystemSources.inheritedSockets()
        let reloads = ReloadSignals.stream()
        let state = try options.existing()
        let configuration = try state.loadConfiguration()
        let json = options.json
        let signals = StopSignals()
        try await Serving.serve(
            configuration, state: state, clock: SystemClock(), random: SystemSources.random,
            logger: ServiceLog.logger(level: configuration.logLevel), inherited: sockets,
            acceptedAccounts: accepted.accounts,
            willListen: { signals.takeOver() }, ready: { Ready.tell("serving", at: $0.all, json: json) },
            reloads: reloads, untilAsked: { await signals.wait() })
    }
}

/// The command `purser demo`.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Pay a simulated gateway, step by step; no money moves.",
        discussion: """
            Starts a simulated gateway and a daemon on free loopback ports, makes a paid JSON call, a streamed one, \
            one by Permit2, one by `upto`, and one that a cap refuses. Ends with 0 only if every step held. The state stays (default: purser-demo beside \
            the usual state directory), so that `payment list` shows the same payments.
            """)

    @OptionGroup var options: StateOptions

    func run() async throws {
        let state: StateDirectory =
            if options.folder == nil { StateDirectory(try StateOptions.standard().root + "-demo") } else {
                try options.directory()
            }
        let json = options.json
        let console = Console.current
        let demonstration = Demonstration(
            state: state, clock: SystemClock(), random: SystemSources.random,
            logger: ServiceLog.quiet,
            say: { line in json ? console.error(line + "\n") : console.output(line + "\n") })
        try await demonstration.run()
        guard json else { return }
        JSONOutput.object { text in
            text.field("held", true)
            text.field("state", state.root)
        }
    }
}

/// The command `purser simulate`.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Run a simulated gateway that sells chat completions by x402.",
        discussion: """
            Payments are verified in full, but no chain is involved and no money moves. Under /v1 calls are paid by \
            EIP-3009, under /permit2/v1 by Permit2, under /upto/v1 by Permit2 up to a maximum.

            With --evil it misbehaves instead: more than 250 ways, one under each /evil/NAME. GET /evil lists them, \
            /evil/NAME/verdict judges what a payer sent, /evil/verdicts the whole run, /evil/reset forgets it. Any x402 \
            client can be run against it; Specs/misbehaviours.md says how.
            """)

    @Option(
        help: ArgumentHelp(
            "Where to listen (default: 127.0.0.1:8402); port 0 takes any.", valueName: "host:port"),
        transform: Self.listen)
    var listen: Configuration.Listen?

    @Option(help: ArgumentHelp("The port on 127.0.0.1, in place of --listen.", valueName: "port"))
    var port: UInt16?

    @Flag(help: "Be a merchant that misbehaves, on loopback only.")
    var evil = false

    @Option(help: ArgumentHelp("The account that is paid (default: a random one).", valueName: "address"))
    var payTo: String?

    @Option(
        help: ArgumentHelp(
            "The share of an `upto` payment that is settled, 0 to 100 (default: 40).", valueName: "percent"))
    var uptoPercent: Int?

    @Flag(help: "Leave the settled amount out of the reports of `upto` payments, as old facilitators do.")
    var uptoUntold = false

    @Flag(help: "Print JSON.")
    var json = false

    @Sendable private static func listen(_ text: String) throws -> Configuration.Listen {
        guard let listen = Configuration.Listen(text) else {
            throw ValidationError("`\(text)` is not an IP address (or localhost) and a port, such as 127.0.0.1:8402.")
        }
        return listen
    }

    func validate() throws {
        if listen != nil, port != nil { throw ValidationError("--listen and --port say the same; give one of them.") }
        if evil, payTo != nil { throw ValidationError("With --evil, Specs/misbehaviours.json says who is paid.") }
        if evil, uptoPercent != nil || uptoUntold {
            throw ValidationError("With --evil, Specs/misbehaviours.json says what is settled.")
        }
    }

    func run() async throws {
        let place = listen ?? Configuration.Listen(host: "127.0.0.1", port: port.map { Int($0) } ?? 8402)
        let signals = StopSignals()
        signals.takeOver()
        guard !evil else {
            return try await Simulating.misbehave(
                at: place, clock: SystemClock(), random: SystemSources.random,
                ready: { [json] in Ready.tell("misbehaving under /evil", at: [$0.description], json: json) },
                untilAsked: { await signals.wait() })
        }
        try await Simulating.serve(
            at: place, payTo: payTo, uptoPercent: uptoPercent ?? 40, tellsUpto: !uptoUntold, clock: SystemClock(),
            random: SystemSources.random,
            ready: { [json] in Ready.tell("simulating a gateway", at: [$0.description], json: json) },
            untilAsked: { await signals.wait() })
    }
}

/// The line that says that requests are accepted.
private enum Ready {
    /// `places` are `host:port` or `unix:path`.
    static func tell(_ what: String, at places: [String], json: Bool) {
        if json {
            JSONOutput.object { text in
                text.field("listen", optional: places.first)
                text.strings("listeners", places)
            }
        } else {
            let words = places.map { $0.hasPrefix("unix:") ? $0 : "http://\($0)" }
            Console.print("\(what) on \(words.joined(separator: ", "))")
        }
    }
}
