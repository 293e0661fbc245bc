import ArgumentParser
import Daemon
import Policy
import Primitives

struct PolicyExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say what the policy would decide about a payment, and why, rule by rule.",
        discussion: "The gateways' own checks and the caps are not looked at.")

    @Option(help: ArgumentHelp("The agent.", valueName: "name"))
    var agent: String

    @Option(help: ArgumentHelp("Its team.", valueName: "name"))
    var team: String?

    @Option(help: ArgumentHelp("The gateway.", valueName: "name"))
    var gateway: String

    @Option(
        help: ArgumentHelp("The upstream host (default: that of the gateway in the configuration).", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("The HTTP method.", valueName: "method"))
    var method = "POST"

    @Option(help: ArgumentHelp("The upstream path, without a query.", valueName: "path"))
    var path: String

    @Option(help: ArgumentHelp("The model that the request names.", valueName: "name"))
    var model: String?

    @Flag(help: "The model could not be read from the request, which is not the same as no --model: it names none.")
    var modelUnknown = false

    @Option(help: ArgumentHelp("The network.", valueName: "eip155:n"))
    var network: String

    @Option(help: ArgumentHelp("The token.", valueName: "symbol-or-address"))
    var asset: String

    @Option(help: ArgumentHelp("Who is paid.", valueName: "address"))
    var payee: String

    @Option(help: ArgumentHelp("The price in whole tokens, such as 0.01.", valueName: "amount"))
    var amount: String

    @Option(help: ArgumentHelp("The payment scheme.", valueName: "scheme"))
    var scheme = "exact"

    @Option(help: ArgumentHelp("The payment method (default: the token's own).", valueName: "name"))
    var paymentMethod: String?

    @Option(help: ArgumentHelp("How long it could be settled, in seconds.", valueName: "seconds"))
    var window: Int64 = 300

    @Flag(help: "The host was never paid at this address.")
    var newPayee = false

    @Option(help: ArgumentHelp("The price over the highest one before, such as 1.5x.", valueName: "factor"))
    var priceRatio: String?

    @Option(help: ArgumentHelp("When (default: now), such as 2026-11-23T12:00:00Z.", valueName: "time"))
    var at: String?

    @OptionGroup var policy: PolicyFileOptions
    @OptionGroup var options: StateOptions

    func validate() throws {
        guard at.map({ Timestamp(rfc3339: $0) != nil }) ?? true else {
            throw ValidationError("--at is a time such as 2026-11-23T12:00:00Z.")
        }
        guard model == nil || !modelUnknown else { throw ValidationError("--model-unknown takes no --model.") }
        guard priceRatio == nil || !modelUnknown else {
            throw ValidationError("--model-unknown takes no --price-ratio: earlier prices are those of a model.")
        }
        guard window >= 0 else { throw ValidationError("--window is a number of seconds.") }
    }

    func run() async throws {
        let (file, tokens) = try policy.read(options)
        let request = GateRequest(
            agent: agent, team: team, gateway: gateway, host: try upstream().lowercased(), method: method, path: path,
            model: modelUnknown ? .unknown : Fact(model))
        let subject = try PolicySource.subject(
            request, asset: asset, network: network, payee: payee, amount: amount, scheme: scheme,
            method: paymentMethod, window: window, payeeIsNew: newPayee, priceRatio: priceRatio,
            time: at.flatMap { Timestamp(rfc3339: $0) } ?? SystemClock().now(), table: tokens.table)
        let explanation = PolicyExplanation(file.snapshot.rules, on: subject)
        if options.json {
            JSONOutput.object { PolicyOutput.write(explanation, to: &$0) }
        } else {
            PolicyOutput.show(explanation)
        }
    }

    /// The host that was named, or the configured gateway's.
    private func upstream() throws -> String {
        if let host { return host }
        let state = try options.directory()
        if state.hasConfiguration, let configuration = try? state.loadConfiguration(),
            let entry = configuration.gateways.first(where: { $0.name == gateway })
        {
            return entry.host
        }
        throw ValidationError("The configuration has no gateway `\(gateway)`: name the host with --host.")
    }
}
