import ArgumentParser
import Daemon
import Ledger

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What every command takes.
struct StateOptions: ParsableArguments {
    @Option(
        name: .customLong("state"),
        help: ArgumentHelp(
            "The state directory (default: $XDG_STATE_HOME/purser or ~/.local/state/purser).", valueName: "dir"))
    var folder: String?

    @Flag(help: "Print JSON.")
    var json = false

    /// The state directory, which need not exist.
    func directory() throws -> StateDirectory {
        if let folder { return StateDirectory(try Path.absolute(folder)) }
        return try Self.standard()
    }

    /// The state directory where none is named.
    static func standard() throws -> StateDirectory {
        let standard = StateDirectory.standard { name in unsafe getenv(name).map { unsafe String(cString: $0) } }
        guard let standard else { throw ValidationError("There is no home directory: name one with --state DIR.") }
        return standard
    }

    /// The state directory, which has to exist and be safe to use.
    func existing() throws -> StateDirectory {
        let state = try directory()
        do {
            try state.check()
        } catch .missing {
            throw CommandFailure(
                .missing, "there is no \(state.root): make it with `purser init \(state.option)`")
        }
        return state
    }
}

extension StateOptions {
    /// Opens the books of the state directory, which has to exist.
    func withLedger<Value>(_ work: (any LedgerStore) async throws -> Value) async throws -> Value {
        try await Books.with(try existing(), work)
    }

    /// Opens the books and lends the operations on agents.
    func withAgents<Value>(_ work: (AgentAdministration, any LedgerStore) async throws -> Value) async throws -> Value {
        try await withLedger { ledger in
            let agents = AgentAdministration(ledger: ledger, clock: SystemClock(), random: SystemSources.random)
            return try await work(agents, ledger)
        }
    }

    /// Tells of a gateway that is not configured: a mistyped one would be meant in vain.
    func noteUnknown(gateway name: String) {
        guard let configuration = try? existing().loadConfiguration(),
            !configuration.gateways.contains(where: { $0.name == name })
        else { return }
        let known = configuration.gateways.map(\.name).joined(separator: ", ")
        Console.note("the configuration has no gateway `\(name)`; there are \(known.isEmpty ? "none" : known)")
    }

    /// Remarks that a wallet is not configured; a freeze of it holds all the same.
    func noteUnknown(wallet name: String) {
        guard let configuration = try? existing().loadConfiguration(),
            !configuration.wallets.contains(where: { $0.name == name })
        else { return }
        let known = configuration.wallets.map(\.name).joined(separator: ", ")
        Console.note("the configuration has no wallet `\(name)`; there are \(known.isEmpty ? "none" : known)")
    }

    /// The names of tokens in the state directory.
    func tokens() throws -> TokenNames { try TokenNames.load(try existing()) }
}

/// Paths as a user types them.
enum Path {
    /// The path from the root, by the working directory; links and dots stay as they are.
    static func absolute(_ path: String) throws -> String {
        guard !path.isEmpty else { throw ValidationError("A path is empty.") }
        if path.hasPrefix("/") { return path }
        guard let folder = unsafe getcwd(nil, 0) else {
            throw CommandFailure(.failed, "the working directory has no path")
        }
        defer { unsafe free(folder) }
        return unsafe String(cString: folder) + "/" + path
    }
}
