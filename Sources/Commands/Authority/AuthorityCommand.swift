import ArgumentParser
import Daemon
import Primitives

/// The command `purser ca`.
struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca",
        abstract: "Local authorities: for the TLS of `forward.terminate`, and for agents' certificates.",
        discussion: """
            Programs that reach the gateways through HTTPS_PROXY, and whose base URL cannot be changed, can pay once they \
            trust the first authority, which `init` makes. It is constrained to the listed hosts. Another one makes the \
            certificates of agents, and of listeners that speak TLS. Their keys never leave the state directory.
            """,
        subcommands: [
            AuthorityInitCommand.self, AuthorityShowCommand.self, AuthorityExportCommand.self,
            ClientCertificateCommand.self, ServerCertificateCommand.self,
        ])
}

struct AuthorityInitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make the authority, for the hosts of `forward.terminate` alone.")

    @Flag(help: "Put a new one in the place of the old: programs have to trust it anew.")
    var replace = false

    @Flag(help: "Let it vouch for every host; whoever gets hold of its key can pose as any to programs that trust it.")
    var anyHost = false

    @OptionGroup var options: StateOptions

    func run() async throws {
        let state = try options.directory()
        let authority = try AuthorityAdministration(state).make(
            state.loadConfiguration(), forAnyHost: anyHost, replacing: replace)
        guard !options.json else { return JSONOutput.object { AuthorityOutput.write(authority, to: &$0) } }
        AuthorityOutput.show(authority)
        Console.print("")
        Console.print("Give programs its certificate: purser ca export > ca.pem")
        Console.print("curl: CURL_CA_BUNDLE, Python: SSL_CERT_FILE or REQUESTS_CA_BUNDLE, Node: NODE_EXTRA_CA_CERTS")
    }
}

struct AuthorityShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show what there is.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let authority = try AuthorityAdministration(try options.directory()).overview()
        if options.json {
            JSONOutput.object { AuthorityOutput.write(authority, to: &$0) }
        } else {
            AuthorityOutput.show(authority)
        }
    }
}

struct AuthorityExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Print the certificate that programs are to trust, in PEM; never the key.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let text = String(
            decoding: try AuthorityAdministration(try options.directory()).certificatePEM(), as: UTF8.self)
        guard !options.json else { return JSONOutput.object { $0.field("certificate", text) } }
        Console.current.output(text)
    }
}

extension AuthorityAdministration {
    fileprivate init(_ state: StateDirectory) {
        self.init(state: state, clock: SystemClock(), random: SystemSources.random)
    }
}

/// An authority, for people and for programs.
private enum AuthorityOutput {
    static func write(_ authority: AuthorityOverview, to text: inout JSONText) {
        text.field("file", authority.path)
        text.field("sha256", authority.fingerprint)
        text.field("not_after", optional: authority.notAfter.map { Timestamp(seconds: $0).description })
    }

    static func show(_ authority: AuthorityOverview) {
        Facts.show([
            (name: "file", value: authority.path), (name: "sha-256", value: authority.fingerprint),
            (name: "good until", value: authority.notAfter.map { Timestamp(seconds: $0).description } ?? "unknown"),
        ])
    }
}
