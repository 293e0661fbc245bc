import Ledger
import Primitives

/// Payments, for people and for programs; signatures and the seller's own JSON are never shown.
enum PaymentOutput {
    /// Adds a payment's members to an object; what a refusal never had, and what was erased, is left out.
    static func write(_ payment: PaymentRecord, to text: inout JSONText) {
        text.field("id", payment.id.description)
        text.field("agent", payment.purpose.agent)
        text.field("team", optional: payment.purpose.team)
        text.field("gateway", payment.purpose.gateway)
        text.field("host", payment.purpose.host)
        text.field("method", optional: payment.purpose.request?.method)
        text.field("url", optional: payment.purpose.request?.url)
        text.field("model", optional: payment.purpose.request?.model.shown)
        text.field("model_fact", optional: payment.purpose.request?.model.word)
        text.field("state", payment.state.rawValue)
        if let terms = payment.terms {
            text.field("scheme", terms.scheme)
            text.field("payment_method", terms.method)
            text.field("nonce", terms.nonce.description)
            text.field("amount", terms.amount.description)
            text.field("moved", optional: payment.moved?.description)
            text.field("decimals", Int64(terms.decimals))
            text.field("symbol", terms.symbol)
            text.field("asset", terms.asset)
            text.field("network", terms.network)
            text.field("payTo", terms.payTo)
            text.field("payer", terms.payer)
            text.field("wallet", terms.wallet)
            text.field("value_usd", terms.value.description)
            text.field("valid_after", terms.validAfter)
            text.field("valid_before", terms.validBefore)
        }
        text.field("reserved_at", payment.reservedAt.description)
        text.field("changed_at", payment.changedAt.description)
        if let status = payment.evidence.status { text.field("status", Int64(status)) }
        text.field("transaction", optional: payment.evidence.transaction)
        text.field("reason", optional: payment.evidence.reason)
        text.field("delivery", optional: payment.delivery?.fate.rawValue)
    }

    /// Adds the members of an entry of a payment's history to an object.
    static func write(_ entry: JournalEntry, to text: inout JSONText) {
        text.field("number", entry.number)
        text.field("at", entry.at.description)
        text.field("state", optional: entry.line.state?.rawValue)
        text.field("cause", entry.line.cause)
        if let transfer = entry.line.transfer {
            text.field("debit", transfer.debit.description)
            text.field("credit", transfer.credit.description)
            text.field("amount", transfer.amount.description)
        }
        text.field("delivery", optional: Delivery.fate(inDetail: entry.line.detail)?.rawValue)
        text.field("hash", entry.hash.description)
    }

    /// Prints payments, one a line; with `untilWhen` also when they can be settled no more.
    static func show(_ payments: [PaymentRecord], untilWhen: Bool) {
        guard !payments.isEmpty else {
            Console.print("no payments")
            return
        }
        var table = Table(
            [
                ("TIME", .left), ("PAYMENT", .left), ("AGENT", .left), ("GATEWAY", .left), ("AMOUNT", .right),
                ("STATE", .left),
            ] + (untilWhen ? [("UNTIL", .left)] : []))
        for payment in payments {
            table.add(
                [
                    payment.reservedAt.description, payment.id.description, payment.purpose.agent,
                    payment.purpose.gateway, amount(of: payment),
                    payment.state == .refused
                        ? "refused (\(Printable.text(payment.evidence.reason ?? "")))" : payment.state.rawValue,
                ] + (untilWhen ? [until(payment)] : []))
        }
        table.show()
    }

    /// Prints one payment and its history.
    static func show(_ payment: PaymentRecord, history: [JournalEntry]) {
        let request = payment.purpose.request
        var facts = [
            ("payment", payment.id.description), ("state", payment.state.rawValue), ("agent", payment.purpose.agent),
            ("team", payment.purpose.team ?? "none"), ("gateway", payment.purpose.gateway),
            ("request", request.map { "\($0.method) \($0.url)" } ?? "erased"),
        ]
        if let model = request?.model { facts.append(("model", model.text)) }
        if let terms = payment.terms {
            facts += [
                ("amount", "\(amount(of: payment)) ($\(terms.value))"), ("asset", "\(terms.network)/\(terms.asset)"),
                ("method", "\(terms.method)"),
                ("payer", "\(terms.payer) (wallet \(terms.wallet))"), ("pay to", terms.payTo),
                ("nonce", terms.nonce.description),
                (
                    "valid",
                    "after \(Timestamp(seconds: terms.validAfter)), before \(Timestamp(seconds: terms.validBefore))"
                ),
            ]
        }
        if let terms = payment.terms, let moved = payment.moved {
            let text = TokenAmount.decimalText(of: moved, decimals: terms.decimals)
            facts.append(("moved", "\(text) \(terms.symbol) of that"))
        }
        if let status = payment.evidence.status { facts.append(("answer", "\(status)")) }
        if let delivery = payment.delivery { facts.append(("delivery", "\(delivery.fate.words) since \(delivery.at)")) }
        if let transaction = payment.evidence.transaction { facts.append(("transaction", transaction)) }
        if let reason = payment.evidence.reason { facts.append(("reason", reason)) }
        Facts.show(facts.map { (name: $0.0, value: Printable.text($0.1)) })
        Console.print("")
        var table = Table([
            ("ENTRY", .right), ("TIME", .left), ("STATE", .left), ("CAUSE", .left), ("FROM", .left), ("TO", .left),
        ])
        for entry in history {
            let line = entry.line
            table.add([
                "\(entry.number)", entry.at.description, line.state?.rawValue ?? "",
                Delivery.fate(inDetail: line.detail).map { "\(line.cause) (\($0.rawValue))" } ?? line.cause,
                line.transfer?.credit.description ?? "", line.transfer?.debit.description ?? "",
            ])
        }
        table.show()
    }

    /// The amount as people write it; empty for a refusal that was not read so far.
    static func amount(of payment: PaymentRecord) -> String {
        guard let terms = payment.terms else { return "" }
        return "\(TokenAmount.decimalText(of: terms.amount, decimals: terms.decimals)) \(terms.symbol)"
    }

    /// When the authorization can be settled no more; empty without one.
    static func until(_ payment: PaymentRecord) -> String {
        payment.liveUntil.map { Timestamp(seconds: $0).description } ?? ""
    }
}

extension Delivery.Fate {
    /// What an operator is told of the answer.
    fileprivate var words: String {
        switch self {
        case .underWay: "the agent receives it"
        case .delivered: "the agent has it"
        case .undelivered: "the agent does not have it whole"
        case .left: "the agent left while it received it"
        case .failed: "the agent has it, and it is a failure"
        }
    }
}
