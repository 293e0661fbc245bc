import ArgumentParser
import Daemon
import Primitives

/// The command `purser config`.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "The configuration.",
        subcommands: [ConfigCheckCommand.self, ConfigReloadCommand.self, ConfigShowCommand.self])
}

struct ConfigCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check config.yaml and the files it names.",
        discussion: "Every mistake is told with file, line and key; then the files that `serve` would refuse.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let state = try options.existing()
        let configuration: Configuration
        do {
            configuration = try state.loadConfiguration()
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
        let remarks = ConfigurationFiles.remarks(on: configuration)
        let problems = ConfigurationFiles.problems(of: configuration, state: state)
        if options.json {
            JSONOutput.object { text in
                text.field("valid", true)
                text.field("file", state.configurationFile)
                text.strings("problems", problems)
                text.strings("remarks", remarks)
            }
        } else {
            let verdict = problems.isEmpty ? "is valid." : "is well-formed, but `serve` would refuse its files."
            Console.print("\(state.configurationFile) \(verdict)")
            ConfigurationOutput.show(configuration)
        }
        for problem in problems + remarks { Console.note(problem) }
    }
}

struct ConfigShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show what config.yaml means, with all that it leaves to defaults.",
        discussion: "Keys and what follows the host in the URL of a chain's endpoint are never shown.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let state = try options.existing()
        let configuration = try state.loadConfiguration()
        if options.json {
            JSONOutput.object { ConfigurationOutput.write(configuration, state: state, to: &$0) }
        } else {
            ConfigurationOutput.show(configuration)
        }
    }
}
