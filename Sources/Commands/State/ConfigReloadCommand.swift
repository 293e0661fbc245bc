import ArgumentParser
import Daemon
import Primitives

/// The command `purser config reload`.
struct ConfigReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload", abstract: "Have the daemon read config.yaml and policy.yaml again.",
        discussion: """
            Gateways, peers, hosts, forward and the policy are in force from the next request on, what the files of TLS \
            listeners hold from the next connection on. Exchanges under way end as they began; tunnels and switched \
            connections that would not be allowed any more end now. \
            Wallets and all else hold from the next start on. Files that `serve` would refuse change nothing.
            """)

    @OptionGroup var options: StateOptions

    func run() async throws {
        let report = try await ReloadOrder.reload(try options.existing())
        if options.json {
            JSONOutput.object { text in
                text.field("reloaded", report.problem == nil)
                text.field("process", Int64(report.process))
                text.field("policy", optional: report.policy)
                text.strings("waits_for_restart", report.waiting)
                text.field("tunnels_ended", Int64(report.tunnelsEnded))
                text.field("problem", optional: report.problem)
            }
        }
        if let problem = report.problem { throw CommandFailure(.configuration, problem) }
        guard !options.json else { return }
        Console.print("The daemon (process \(report.process)) serves by the new configuration.")
        Console.print(report.policy.map { "Policy: \($0)" } ?? "There is no policy.")
        if report.tunnelsEnded > 0 {
            Console.print("Tunnels and switched connections ended by it: \(report.tunnelsEnded).")
        }
        if !report.waiting.isEmpty {
            Console.note("only from the next start on: \(report.waiting.joined(separator: ", "))")
        }
    }
}
