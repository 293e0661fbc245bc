import Daemon

/// How a command ended, as the shell sees it.
package enum CommandStatus: Int32, Sendable, CaseIterable {
    /// What was asked for was done.
    case done = 0
    /// It failed.
    case failed = 1
    /// The configuration is wrong.
    case configuration = 3
    /// Another daemon serves the state directory.
    case running = 4
    /// The agent, cap, payment, wallet, file or state directory does not exist.
    case missing = 5
    /// The agent, wallet or file exists already.
    case exists = 6
    /// The books do not hold together.
    case unsound = 7
    /// The command line was wrong.
    case usage = 64

    init(_ kind: FailureKind) {
        self =
            switch kind {
            case .badInput: .usage
            case .configuration: .configuration
            case .running: .running
            case .missing: .missing
            case .exists: .exists
            case .unsound: .unsound
            case .other: .failed
            }
    }

    private var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "failed"
        case .configuration: "the configuration is wrong"
        case .running: "another daemon serves the state directory"
        case .missing: "no such agent, cap, payment, wallet, file or state directory"
        case .exists: "the agent, wallet or file exists already"
        case .unsound: "the ledger is not sound: damaged, changed, or its sums do not hold"
        case .usage: "the command line is wrong"
        }
    }

    /// The table in the help text.
    static var table: String {
        allCases.map { status in
            let code = String(status.rawValue)
            return "  " + code + String(repeating: " ", count: 4 - code.count) + status.meaning
        }.joined(separator: "\n")
    }
}
