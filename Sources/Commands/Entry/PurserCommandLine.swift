import ArgumentParser
import Daemon

/// The program's front door.
package enum PurserCommandLine {
    /// Runs the command of this process and returns what it should end with.
    package static func main() async -> Int32 {
        SystemSources.hardenProcess()
        return await run(Array(CommandLine.arguments.dropFirst()))
    }

    /// Runs one command and returns what the process should end with; `arguments` are those behind the program's name.
    ///
    /// Output goes to ``Console/current``; errors are lines that begin with `purser: `.
    package static func run(_ arguments: [String]) async -> Int32 {
        do {
            var command = try await PurserCommand.asyncParseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return CommandStatus.done.rawValue
        } catch {
            return report(error)
        }
    }

    private static func report(_ error: any Error) -> Int32 {
        if let failure = error as? CommandFailure {
            Console.note(failure.description)
            return failure.status.rawValue
        }
        let code = PurserCommand.exitCode(for: error)
        if code.isSuccess {
            Console.print(PurserCommand.fullMessage(for: error))
            return CommandStatus.done.rawValue
        }
        if code == .validationFailure {
            let message = PurserCommand.fullMessage(for: error)
            let label = "Error: "
            Console.note(message.hasPrefix(label) ? String(message.dropFirst(label.count)) : message)
            return CommandStatus.usage.rawValue
        }
        for line in "\(error)".split(separator: "\n") { Console.note(String(line)) }
        return CommandStatus(FailureKind(error)).rawValue
    }
}
