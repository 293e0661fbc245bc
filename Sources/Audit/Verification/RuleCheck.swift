import Ledger
import Primitives

/// Whether agents, caps and freezes are what the journal says was done to them.
struct RuleCheck {
    private struct CapName: Hashable {
        let scope: String
        let window: String
        let measure: String

        var row: String { "cap \(scope) \(window) \(measure)" }
    }

    /// What the entries say of an agent.
    private struct Told: Equatable {
        var wallet: String?
        var team: String?
        var token: String?
        var added: Timestamp

        var text: String {
            "wallet \(wallet ?? "none"), team \(team ?? "none"), token \(token ?? "none"), added at \(added)"
        }
    }

    /// What the entries say of a freeze.
    private struct Frozen: Equatable {
        let since: Timestamp
        let actor: String
        let reason: String?

        var text: String { "since \(since) by \(actor), \(reason.map { "\"\($0)\"" } ?? "without a reason")" }
    }

    // What the last entry about each says.
    private var caps: [CapName: String] = [:]
    private var agents: [String: Told] = [:]
    private var freezes: [String: Frozen] = [:]

    /// Takes an entry about a rule; others are passed over.
    mutating func examine(_ entry: JournalEntry, _ findings: inout Findings) {
        let isReadable =
            switch entry.line.kind {
            case .agent: take(agent: entry.line, at: entry.at)
            case .cap: take(cap: entry.line)
            case .freeze: take(freeze: entry.line, at: entry.at)
            case .payment, .metered, .adjustment, .notice, .checkpoint, .erasure: true
            case .signIn, .approval: true
            case .refusals: CountedRefusals(entry.line) != nil
            case .policy: PolicyInForce(entry.line) != nil
            case .wallet: WalletAccount(entry.line) != nil
            }
        if !isReadable {
            findings.examine(.rules, "entry \(entry.number)", holds: false, "says of no rule what was done to it")
        }
    }

    private mutating func take(agent line: JournalLine, at time: Timestamp) -> Bool {
        switch line.cause {
        case "added":
            guard let agent = Self.change(line) else { return false }
            agents[line.subject] = Told(
                wallet: agent["wallet"]?.string, team: agent["team"]?.string, token: agent["token_sha256"]?.string,
                added: time)
        case "removed": agents[line.subject] = nil
        case "team":
            guard let change = Self.change(line) else { return false }
            agents[line.subject]?.team = change["after"]?.string
        case "token":
            guard let change = Self.change(line) else { return false }
            agents[line.subject]?.token = change["token_sha256"]?.string
        default: break
        }
        return true
    }

    private mutating func take(cap line: JournalLine) -> Bool {
        guard let change = Self.change(line), let window = change["window"]?.string,
            let measure = change["measure"]?.string
        else { return false }
        caps[CapName(scope: line.subject, window: window, measure: measure)] = change["after"]?.string
        return true
    }

    private mutating func take(freeze line: JournalLine, at time: Timestamp) -> Bool {
        freezes[line.subject] =
            line.cause == "frozen" ? Frozen(since: time, actor: line.actor ?? "", reason: line.detail) : nil
        return true
    }

    private static func change(_ line: JournalLine) -> JSONValue? {
        line.detail.flatMap { try? JSONReader.read(Array($0.utf8)) }
    }

    /// Holds the rules that are in force against what the entries left.
    func finish(_ rulebook: Rulebook, _ findings: inout Findings) {
        var told = caps
        for cap in rulebook.allCaps {
            let name = CapName(
                scope: cap.scope.description, window: cap.limit.window.description,
                measure: cap.limit.measure.rawValue)
            let limit = told.removeValue(forKey: name)
            findings.examine(
                .rules, name.row, holds: limit == cap.text(of: cap.limit.amount),
                "is \(cap.text(of: cap.limit.amount)), but the journal says \(limit ?? "that there is none")")
        }
        for (name, limit) in told.sorted(by: { $0.key.row < $1.key.row }) {
            findings.examine(.rules, name.row, holds: false, "is gone, but the journal says \(limit)")
        }
        for name in Set(agents.keys).union(rulebook.agents.keys).sorted() {
            let kept = rulebook.agents[name].map {
                Told(wallet: $0.wallet, team: $0.team, token: $0.tokenHash.description, added: $0.addedAt)
            }
            let told = agents[name]
            findings.examine(
                .rules, "agent \(name)", holds: kept == told,
                kept == nil
                    ? "is gone, but nobody removed it"
                    : told == nil
                        ? "is there, but nobody added it"
                        : "has \(kept?.text ?? ""), but the journal says \(told?.text ?? "")")
        }
        let kept = Dictionary(
            uniqueKeysWithValues: rulebook.freezes.map {
                ($0.key.description, Frozen(since: $0.value.since, actor: $0.value.actor, reason: $0.value.reason))
            })
        for scope in Set(freezes.keys).union(kept.keys).sorted() {
            let (row, told) = (kept[scope], freezes[scope])
            findings.examine(
                .rules, "freeze \(scope)", holds: row == told,
                row == nil
                    ? "is gone, but nobody lifted it"
                    : "is \(row?.text ?? ""), but the journal says \(told?.text ?? "that there is none")")
        }
    }
}
