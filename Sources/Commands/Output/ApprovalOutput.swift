import Daemon
import Primitives

/// Allowances and the transactions that give them, for people and for programs.
enum ApprovalOutput {
    /// Prints what a plan takes.
    static func show(_ plan: ApprovalPlan) {
        let view = plan.view
        Facts.show([
            (name: "wallet", value: "\(view.wallet), \(view.owner)"),
            (name: "token", value: "\(view.network)/\(view.symbol), \(view.token)"),
            (name: "balance", value: view.balance),
            (name: "spender", value: view.spender),
            (name: "allowance", value: "\(view.allowance) now, \(view.amount) wanted"),
            (name: "coins for fees", value: view.coins),
            (
                name: "transactions",
                value: "\(view.mined) in blocks" + (view.gap == 0 ? "" : ", \(view.gap) on their way (a gap)")
            ),
        ])
        for (index, step) in view.steps.enumerated() {
            Console.print("")
            Console.print("Transaction \(index + 1) of \(view.steps.count): approve \(step.amount)")
            Facts.show([
                (name: "  to", value: view.token),
                (name: "  data", value: step.data),
                (name: "  nonce", value: step.nonce),
                (name: "  gas limit", value: step.gas),
                (name: "  fee", value: step.fee),
                (name: "  costs at most", value: "\(step.cost) (limit \(view.costLimit))"),
                (name: "  signing hash", value: step.signingHash),
            ])
        }
    }

    /// Prints how it ended.
    static func conclude(_ plan: ApprovalPlan, sent: [String], isDone: Bool) {
        let view = plan.view
        Console.print("")
        if view.steps.isEmpty {
            Console.print("The allowance is \(view.allowance) already: there is nothing to send.")
        } else if isDone {
            Console.print("Done: \(view.spender) may move \(view.amount).")
            for hash in sent { Console.print("transaction \(hash)") }
        } else {
            Console.print("Nothing was signed. Repeat this with --send to sign and send it.")
            if !view.isAffordable { Console.note("the account has too little of the chain's coin for it") }
            if view.gap > 0 { Console.note("it would wait for the \(view.gap) on their way, and needs --allow-gap") }
        }
    }

    /// Adds a plan's members to an object.
    static func write(_ plan: ApprovalPlan, sent: [String], isDone: Bool, to text: inout JSONText) {
        let view = plan.view
        text.field("wallet", view.wallet)
        text.field("address", view.owner)
        text.field("network", view.network)
        text.field("asset", view.token)
        text.field("symbol", view.symbol)
        text.field("spender", view.spender)
        text.field("balance_units", view.balanceUnits)
        text.field("allowance_units", view.allowanceUnits)
        text.field("amount_units", view.amountUnits)
        text.field("unlimited", plan.order.isUnlimited)
        text.field("coins", view.coins)
        text.field("max_cost", view.costLimit)
        text.field("affordable", view.isAffordable)
        text.field("transactions_in_blocks", view.mined)
        text.field("gap", Int64(clamping: view.gap))
        text.objects("transactions", view.steps) { text, step in
            text.field("to", view.token)
            text.field("data", step.data)
            text.field("nonce", step.nonce)
            text.field("gas", step.gas)
            text.field("fee", step.fee)
            text.field("cost", step.cost)
            text.field("signing_hash", step.signingHash)
        }
        text.field("done", isDone)
        text.strings("sent", sent)
    }

    /// Prints a balance and an allowance.
    static func show(_ standing: StandingView, _ order: ApprovalOrder) {
        Facts.show([
            (name: "balance", value: standing.balance), (name: "allowance", value: standing.allowance),
            (name: "spender", value: standing.spender), (name: "block", value: standing.block),
        ])
    }

    /// Adds a balance and an allowance to an object.
    static func write(_ standing: StandingView, _ order: ApprovalOrder, to text: inout JSONText) {
        text.field("wallet", order.wallet)
        text.field("address", standing.owner)
        text.field("network", order.network)
        text.field("asset", standing.token)
        text.field("spender", standing.spender)
        text.field("balance_units", standing.balanceUnits)
        text.field("allowance_units", standing.allowanceUnits)
        text.field("block", standing.block)
    }
}
