import Daemon
import Ledger
import Primitives

/// Agents, for people and for programs.
enum AgentOutput {
    /// Adds an agent's members to an object; `caps` are all that count its payments.
    static func write(_ overview: AgentOverview, to text: inout JSONText) {
        text.field("agent", overview.agent.name)
        text.field("team", optional: overview.agent.team)
        text.field("wallet", optional: overview.agent.wallet)
        text.field("added_at", overview.agent.addedAt.description)
        text.field("frozen", overview.freeze != nil)
        text.objects("caps", overview.usage) { CapOutput.write($1, to: &$0) }
    }

    /// Prints agents with their own caps.
    static func show(_ agents: [AgentOverview], tokens: TokenNames) {
        guard !agents.isEmpty else {
            Console.print("no agents")
            return
        }
        var table = Table([
            ("AGENT", .left), ("TEAM", .left), ("WALLET", .left), ("ADDED", .left), ("FROZEN", .left), ("CAPS", .left),
        ])
        for overview in agents {
            let caps = overview.own.map { CapOutput.summary($0, tokens) }.joined(separator: ", ")
            table.add([
                overview.agent.name, overview.agent.team ?? "", overview.agent.wallet ?? "",
                overview.agent.addedAt.description, overview.freeze == nil ? "" : "frozen", caps,
            ])
        }
        table.show()
    }

    /// Prints one agent.
    static func show(_ overview: AgentOverview, tokens: TokenNames) {
        let agent = overview.agent
        var facts = [
            ("agent", agent.name), ("team", agent.team ?? "none"), ("wallet", agent.wallet ?? "the only one"),
            ("added", agent.addedAt.description),
        ]
        if let freeze = overview.freeze { facts.append(("frozen", FreezeOutput.words(on: freeze))) }
        Facts.show(facts.map { (name: $0.0, value: $0.1) })
        Console.print("")
        CapOutput.show(overview.usage, tokens: tokens, json: false)
    }
}
