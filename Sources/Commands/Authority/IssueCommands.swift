import ArgumentParser
import Daemon
import Primitives

struct ClientCertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "client", abstract: "Make a certificate by which an agent proves itself to a TLS listener.",
        discussion: """
            The file holds its key, the certificate and that of the local agent authority, which is made with the first one \
            and which listeners without a `client-ca` believe. The line for `peers` in config.yaml is printed; a later \
            certificate of the same name is also known by `cert:dns:NAME`.
            """)

    @Argument(help: "The agent's name.")
    var name: String

    @OptionGroup var issue: IssueOptions
    @OptionGroup var options: StateOptions

    func run() async throws {
        let path = try issue.path(of: name)
        let issued = try AgentAuthority(try options.directory()).issue(client: name, days: issue.days, to: path)
        guard !options.json else {
            return JSONOutput.object { text in
                IssueOutput.write(issued, to: &text)
                text.field("peer", issued.peer)
                text.field("agent", name)
            }
        }
        IssueOutput.show(issued)
        Console.print("")
        Console.print("For `peers` in config.yaml, then `purser config reload`:")
        Console.print("  \"\(issued.peer)\": \(name)")
    }
}

struct ServerCertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server", abstract: "Make a certificate for a TLS listener.",
        discussion: """
            The file is for the listener's `certificate`, which may hold the key too. Agents trust it by the authority's \
            certificate, which stands in the files of `ca client`.
            """)

    @Argument(help: "The names and IP addresses by which agents reach the listener.")
    var hosts: [String]

    @OptionGroup var issue: IssueOptions
    @OptionGroup var options: StateOptions

    func run() async throws {
        let path = try issue.path(of: "listener")
        let issued = try AgentAuthority(try options.directory()).issue(server: hosts, days: issue.days, to: path)
        guard !options.json else { return JSONOutput.object { IssueOutput.write(issued, to: &$0) } }
        IssueOutput.show(issued)
        Console.print("")
        Console.print("For `listen` in config.yaml: { tls: 0.0.0.0:4443, certificate: \(path) }")
    }
}

struct IssueOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The file to write, which must not be there yet (default: NAME.pem here).", valueName: "file"))
    var out: String?

    @Option(help: "For how many days it is good, at most 3650.")
    var days: Int64 = AgentAuthority.days

    /// Absolute, as config.yaml takes paths to be relative to its own folder.
    func path(of name: String) throws -> String { try Path.absolute(out ?? "\(name).pem") }
}

extension AgentAuthority {
    fileprivate init(_ state: StateDirectory) {
        self.init(state: state, clock: SystemClock(), random: SystemSources.random)
    }
}

/// A certificate that was made, for people and for programs.
private enum IssueOutput {
    static func write(_ issued: IssuedCertificate, to text: inout JSONText) {
        text.field("file", issued.path)
        text.field("not_after", optional: end(of: issued))
    }

    static func show(_ issued: IssuedCertificate) {
        Facts.show([
            (name: "file", value: issued.path), (name: "good until", value: end(of: issued) ?? "unknown"),
        ])
    }

    private static func end(of issued: IssuedCertificate) -> String? {
        issued.notAfter.map { Timestamp(seconds: $0).description }
    }
}
