import Daemon
import Ledger
import Primitives

/// Agents and caps, for people and for programs.
enum AgentOutput {
    /// Adds an agent's members to an object.
    static func write(_ agent: AgentOverview, to text: inout JSONText) {
        text.field("agent", agent.name)
        text.field("wallet", optional: agent.wallet)
        text.field("added_at", agent.addedAt.description)
        text.objects("caps", agent.usage) { write($1, to: &$0) }
    }

    /// Adds a cap's members to an object.
    static func write(_ usage: CapUsage, to text: inout JSONText) {
        text.field("window", usage.cap.window.rawValue)
        text.field("limit_usd", usage.cap.limit.description)
        text.field("used_usd", usage.used.description)
        text.field("left_usd", usage.left.description)
        text.field("resets_at", optional: usage.resetsAt?.description)
    }

    /// Prints agents with a column for each window.
    static func show(_ agents: [AgentOverview]) {
        guard !agents.isEmpty else {
            Console.print("no agents")
            return
        }
        var table = Table([
            ("AGENT", .left), ("WALLET", .left), ("REQUEST", .right), ("DAY", .right), ("LIFETIME", .right),
            ("ADDED", .left),
        ])
        for agent in agents {
            let cells = CapWindow.allCases.sorted().map { window in
                agent.usage.first { $0.cap.window == window }.map(cell) ?? ""
            }
            table.add([agent.name, agent.wallet ?? ""] + cells + [agent.addedAt.description])
        }
        table.show()
    }

    private static func cell(_ usage: CapUsage) -> String {
        usage.cap.window == .request ? "$\(usage.cap.limit)" : "$\(usage.used) of $\(usage.cap.limit)"
    }

    /// Prints the caps of agents, one a line.
    static func showCaps(_ agents: [AgentOverview]) {
        guard agents.contains(where: { !$0.usage.isEmpty }) else {
            Console.print("no caps: nothing is paid")
            return
        }
        var table = Table([
            ("AGENT", .left), ("WINDOW", .left), ("LIMIT", .right), ("USED", .right), ("LEFT", .right),
            ("RESETS", .left),
        ])
        for agent in agents {
            for usage in agent.usage {
                table.add([
                    agent.name, usage.cap.window.rawValue, "$\(usage.cap.limit)", "$\(usage.used)", "$\(usage.left)",
                    usage.resetsAt?.description ?? "",
                ])
            }
        }
        table.show()
    }
}
