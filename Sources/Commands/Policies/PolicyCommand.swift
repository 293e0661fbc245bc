import ArgumentParser
import Daemon
import Policy
import Primitives

/// The command `purser policy`.
struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "The rules in policy.yaml: what is approved, refused or asked about.",
        discussion: "A daemon reads them when it starts, and does not start with a file that is wrong.",
        subcommands: [
            PolicyCheckCommand.self, PolicyTestCommand.self, PolicyExplainCommand.self, PolicyShowCommand.self,
            PolicyReplayCommand.self,
        ])
}

/// Which policy a command is about.
struct PolicyFileOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Another file than policy.yaml in the state directory.", valueName: "path"))
    var file: String?

    /// Reads it with the state directory's table of tokens; its tests are not run.
    func read(_ options: StateOptions) throws -> (file: PolicyFile, table: TokenNames) {
        let state = try options.directory()
        let tokens = try TokenNames.load(state)
        do {
            return (try PolicySource.read(file.map(Path.absolute), state: state, table: tokens.table), tokens)
        } catch let errors as ConfigurationErrors {
            if options.json {
                JSONOutput.object { text in
                    text.field("valid", false)
                    text.field("file", errors.file)
                    text.objects("mistakes", errors.mistakes) { text, mistake in
                        text.field("line", Int64(mistake.line))
                        text.field("key", mistake.key)
                        text.field("message", mistake.message)
                    }
                }
            }
            throw errors
        }
    }
}

struct PolicyCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check the policy and run its own tests.",
        discussion: "Every mistake is told with file, line and key.")

    @OptionGroup var policy: PolicyFileOptions
    @OptionGroup var options: StateOptions

    func run() async throws {
        let (file, _) = try policy.read(options)
        try PolicyOutput.tell(file, isTest: false, json: options.json)
    }
}

struct PolicyTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Run the policy's own tests and tell which fail.")

    @OptionGroup var policy: PolicyFileOptions
    @OptionGroup var options: StateOptions

    func run() async throws {
        let (file, _) = try policy.read(options)
        try PolicyOutput.tell(file, isTest: true, json: options.json)
    }
}

struct PolicyShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show the policy's hash, as payments name it, and its rules.")

    @OptionGroup var policy: PolicyFileOptions
    @OptionGroup var options: StateOptions

    func run() async throws {
        let (file, _) = try policy.read(options)
        let rules = file.snapshot.rules
        guard !options.json else {
            JSONOutput.object { text in
                PolicyOutput.write(file, to: &text)
                text.objects("list", rules.rules) { text, rule in
                    text.field("rule", rule.name)
                    text.strings("when", rule.matchers.map(\.description))
                    text.field("then", rule.outcome.rawValue)
                    text.field("reason", optional: rule.reason)
                    text.field("shadow", rule.isShadow)
                }
            }
            return
        }
        Facts.show([
            ("file", file.path), ("hash", "\(file.snapshot.hash)"), ("rules", "\(rules.rules.count)"),
            ("tests", "\(rules.tests.count)"), ("default", rules.standard.rawValue),
            ("shadow", rules.isShadow ? "yes: nothing is enforced" : "no"),
        ])
        guard !rules.rules.isEmpty else { return }
        Console.print("")
        var table = Table([("RULE", .left), ("THEN", .left), ("WHEN", .left)])
        for rule in rules.rules {
            table.add([
                rule.name, rule.outcome.rawValue + (rule.isShadow ? " (shadow)" : ""),
                Printable.text(rule.matchers.map(\.description).joined(separator: "; ")),
            ])
        }
        table.show()
    }
}
