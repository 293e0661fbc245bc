package import Primitives

/// The lines that changes of agents, caps and freezes leave: who, when, before and after.
extension JournalLine {
    /// An agent was added: with which wallet, in which team, and under which token's hash.
    package static func added(_ agent: Agent, by actor: String) -> JournalLine {
        var text = JSONText()
        text.object { text in
            text.field("wallet", optional: agent.wallet)
            text.field("team", optional: agent.team)
            text.field("token_sha256", agent.tokenHash.description)
        }
        return .agent(agent.name, "added", by: actor, detail: text.string)
    }

    /// An agent got another token; its hash is told.
    package static func token(of agent: String, hash: Bytes32, by actor: String) -> JournalLine {
        var text = JSONText()
        text.object { $0.field("token_sha256", hash.description) }
        return .agent(agent, "token", by: actor, detail: text.string)
    }

    /// An agent took a step: added, removed, a new token, another team.
    package static func agent(_ name: String, _ cause: String, by actor: String, detail: String? = nil) -> JournalLine {
        JournalLine(.agent, subject: name, cause: cause, actor: actor, detail: detail)
    }

    /// A cap was set; `before` is the one it replaces.
    package static func set(_ cap: Cap, before: Cap?, by actor: String) -> JournalLine {
        JournalLine(
            .cap, subject: cap.scope.description, cause: "set", actor: actor,
            detail: change(cap.key, before: before, after: cap))
    }

    /// A cap was removed.
    package static func removed(_ cap: Cap, by actor: String) -> JournalLine {
        JournalLine(
            .cap, subject: cap.scope.description, cause: "removed", actor: actor,
            detail: change(cap.key, before: cap, after: nil))
    }

    private static func change(_ key: Cap.Key, before: Cap?, after: Cap?) -> String {
        var text = JSONText()
        text.object { text in
            text.field("window", key.window.description)
            text.field("measure", key.measure.rawValue)
            text.field("before", optional: before.map { $0.text(of: $0.limit.amount) })
            text.field("after", optional: after.map { $0.text(of: $0.limit.amount) })
        }
        return text.string
    }

    /// An agent was put into another team.
    package static func team(of agent: String, before: String?, after: String?, by actor: String) -> JournalLine {
        var text = JSONText()
        text.object { text in
            text.field("before", optional: before)
            text.field("after", optional: after)
        }
        return .agent(agent, "team", by: actor, detail: text.string)
    }

    /// Something was frozen.
    package static func frozen(_ freeze: Freeze) -> JournalLine {
        JournalLine(
            .freeze, subject: freeze.scope.description, cause: "frozen", actor: freeze.actor, detail: freeze.reason)
    }

    /// A freeze was lifted.
    package static func unfrozen(_ scope: FreezeScope, by actor: String) -> JournalLine {
        JournalLine(.freeze, subject: scope.description, cause: "unfrozen", actor: actor)
    }

    /// A cap comes near its limit.
    package static func warning(_ warning: CapWarning) -> JournalLine {
        let cap = warning.usage.cap
        var text = JSONText()
        text.object { text in
            // The cap's name goes first: ``CapWarning/isGiven(by:)`` looks for it there.
            text.field("window", cap.limit.window.description)
            text.field("measure", cap.limit.measure.rawValue)
            text.field("used", cap.text(of: warning.usage.used))
            text.field("limit", cap.text(of: cap.limit.amount))
        }
        return JournalLine(
            .notice, subject: cap.scope.description, cause: warning.cause, detail: text.string)
    }

    /// A prepaid call was let through.
    package static func metered(_ call: MeteredCall) -> JournalLine {
        JournalLine(.metered, subject: call.agent, cause: "called", transfer: call.transfer, terms: call.hash)
    }

    /// Money came into a wallet or left it.
    package static func adjusted(_ adjustment: Adjustment, by actor: String) -> JournalLine {
        JournalLine(
            .adjustment, subject: adjustment.wallet, cause: adjustment.kind.rawValue, transfer: adjustment.transfer,
            actor: actor, detail: adjustment.note)
    }

    /// Texts of payments were erased.
    package static func erased(_ count: Int, before time: Timestamp, by actor: String) -> JournalLine {
        JournalLine(
            .erasure, subject: "reserved before \(time)", cause: "erased", actor: actor, detail: "\(count) payments")
    }
}
