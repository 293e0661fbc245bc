import Commands
import Daemon
import Primitives
import Synchronization
import TestSupport
import Testing

/// What a command printed and how it ended.
struct CommandRun: Sendable {
    let status: CommandStatus?
    let output: String
    let errors: String

    /// The output as JSON.
    var json: JSONValue {
        get throws { try JSONReader.read(Array(output.utf8)) }
    }

    /// Runs a command in this process.
    static func run(_ arguments: [String]) async -> CommandRun {
        let collected = Streams()
        let console = Console(output: { collected.add(output: $0) }, error: { collected.add(errors: $0) })
        let code = await Console.$current.withValue(console) { await PurserCommandLine.run(arguments) }
        let (output, errors) = collected.texts
        return CommandRun(status: CommandStatus(rawValue: code), output: output, errors: errors)
    }
}

/// The two streams of a command that runs.
private final class Streams: Sendable {
    private let streams = Mutex<(output: String, errors: String)>(("", ""))

    func add(output: String = "", errors: String = "") {
        streams.withLock { streams in
            streams.output += output
            streams.errors += errors
        }
    }

    var texts: (output: String, errors: String) { streams.withLock { $0 } }
}

/// A state directory for one test.
struct StateForTests {
    let folder: TemporaryFolder
    let state: StateDirectory

    /// Makes a directory that has only the given configuration, or not even that.
    init(configuration: String? = Configuration.example) throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
        if let configuration { try state.writeConfiguration(configuration) }
    }

    /// Runs a command on the directory.
    func run(_ arguments: String...) async -> CommandRun {
        await CommandRun.run(arguments + ["--state", folder.path])
    }

    /// Runs a command on the directory and expects it to succeed.
    @discardableResult
    func done(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) async -> CommandRun {
        let run = await CommandRun.run(arguments + ["--state", folder.path])
        #expect(run.status == .done, "\(run.errors)", sourceLocation: sourceLocation)
        return run
    }
}

/// A command that fails, its status, and what it says.
struct FailingCommand: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let status: CommandStatus
    let words: String

    init(_ arguments: [String], _ status: CommandStatus, _ words: String) {
        self.arguments = arguments
        self.status = status
        self.words = words
    }

    var testDescription: String { arguments.joined(separator: " ") }
}
