import Daemon
import Ledger
import Primitives

/// Caps and their use, for people and for programs.
enum CapOutput {
    /// Prints caps, one a line, or as an array.
    static func show(_ usage: [CapUsage], tokens: TokenNames, json: Bool) {
        if json {
            JSONOutput.array(usage) { write($1, to: &$0) }
        } else {
            show(usage, tokens: tokens)
        }
    }

    /// Adds a cap's members to an object: `limit_usd` and so on in dollars, `limit` and so on in units or payments.
    static func write(_ usage: CapUsage, to text: inout JSONText) {
        let cap = usage.cap
        text.field("holder", cap.scope.holder.description)
        text.field("facet", optional: cap.scope.facet?.description)
        text.field("window", cap.limit.window.description)
        text.field("measure", cap.limit.measure.rawValue)
        let suffix = cap.limit.measure == .dollars ? "_usd" : ""
        for (name, quantity) in [("limit", cap.limit.amount), ("used", usage.used), ("left", usage.left)] {
            let dollars = (Dollars(quantity: quantity) ?? .max).description
            text.field(name + suffix, cap.limit.measure == .dollars ? dollars : quantity.description)
        }
        text.field("resets_at", optional: usage.resetsAt?.description)
    }

    private static func show(_ usage: [CapUsage], tokens: TokenNames) {
        guard !usage.isEmpty else {
            Console.print("no caps: nothing is paid")
            return
        }
        var table = Table([
            ("SCOPE", .left), ("WINDOW", .left), ("LIMIT", .right), ("USED", .right), ("LEFT", .right),
            ("RESETS", .left),
        ])
        for usage in usage {
            let cap = usage.cap
            table.add(
                [scope(cap.scope, tokens), cap.limit.window.description]
                    + [cap.limit.amount, usage.used, usage.left].map { text(of: $0, in: cap, tokens) }
                    + [usage.resetsAt?.description ?? (isHeld(usage) ? "not by itself" : "")])
        }
        table.show()
    }

    /// Whether a rolling cap is used by payments whose outcome alone makes room.
    private static func isHeld(_ usage: CapUsage) -> Bool {
        if case .rolling = usage.cap.limit.window { !usage.used.isZero } else { false }
    }

    /// A scope as people write it, tokens by their symbols.
    static func scope(_ scope: CapScope, _ tokens: TokenNames) -> String {
        guard case .asset(let name) = scope.facet else { return scope.description }
        return "\(scope.holder) asset:\(tokens.label(of: name))"
    }

    /// An amount in a cap's measure, units of a known token as its decimal amount.
    static func text(of quantity: UInt256, in cap: Cap, _ tokens: TokenNames) -> String {
        guard cap.limit.measure == .units, case .asset(let name) = cap.scope.facet, tokens.known(name) != nil else {
            return cap.text(of: quantity)
        }
        return tokens.text(of: quantity, in: name)
    }

    /// A few words on one cap for a list of agents: `day $0.30 of $5.00`.
    static func summary(_ usage: CapUsage, _ tokens: TokenNames) -> String {
        let cap = usage.cap
        let limit = text(of: cap.limit.amount, in: cap, tokens)
        let part = cap.scope.facet.map { " (\($0))" } ?? ""
        guard cap.limit.window != .request else { return "request \(limit)\(part)" }
        return "\(cap.limit.window) \(text(of: usage.used, in: cap, tokens)) of \(limit)\(part)"
    }
}
