import Ledger
import Primitives

/// Payments, for people and for programs; signatures and the seller's own JSON are never shown.
enum PaymentOutput {
    /// Adds a payment's members to an object; what a refusal never had is left out.
    static func write(_ payment: PaymentRecord, to text: inout JSONText) {
        text.field("id", payment.id.description)
        text.field("agent", payment.purpose.agent)
        text.field("gateway", payment.purpose.gateway)
        text.field("method", payment.purpose.method)
        text.field("url", payment.purpose.url)
        text.field("state", payment.state.rawValue)
        if let terms = payment.terms {
            text.field("scheme", terms.scheme)
            text.field("nonce", terms.nonce.description)
            text.field("amount", terms.amount.description)
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
    }

    /// Adds a history line's members to an object.
    static func write(_ line: PaymentTransition, to text: inout JSONText) {
        text.field("sequence", line.sequence)
        text.field("at", line.at.description)
        text.field("state", line.state.rawValue)
        text.field("cause", line.cause)
    }

    /// Prints payments, one a line.
    static func show(_ payments: [PaymentRecord]) {
        guard !payments.isEmpty else {
            Console.print("no payments")
            return
        }
        var table = Table([
            ("TIME", .left), ("PAYMENT", .left), ("AGENT", .left), ("GATEWAY", .left), ("AMOUNT", .right),
            ("STATE", .left),
        ])
        for payment in payments {
            table.add([
                payment.reservedAt.description, payment.id.description, payment.purpose.agent,
                payment.purpose.gateway, payment.terms.map(amount) ?? "",
                payment.state == .refused
                    ? "refused (\(Printable.text(payment.evidence.reason ?? "")))" : payment.state.rawValue,
            ])
        }
        table.show()
    }

    /// Prints one payment and its history.
    static func show(_ payment: PaymentRecord, history: [PaymentTransition]) {
        var facts = [
            ("payment", payment.id.description), ("state", payment.state.rawValue), ("agent", payment.purpose.agent),
            ("gateway", payment.purpose.gateway), ("request", "\(payment.purpose.method) \(payment.purpose.url)"),
        ]
        if let terms = payment.terms {
            facts += [
                ("amount", "\(amount(terms)) ($\(terms.value))"), ("asset", "\(terms.network)/\(terms.asset)"),
                ("payer", "\(terms.payer) (wallet \(terms.wallet))"), ("pay to", terms.payTo),
                ("nonce", terms.nonce.description),
                (
                    "valid",
                    "after \(Timestamp(seconds: terms.validAfter)), before \(Timestamp(seconds: terms.validBefore))"
                ),
            ]
        }
        if let status = payment.evidence.status { facts.append(("answer", "\(status)")) }
        if let transaction = payment.evidence.transaction { facts.append(("transaction", transaction)) }
        if let reason = payment.evidence.reason { facts.append(("reason", reason)) }
        Facts.show(facts.map { (name: $0.0, value: Printable.text($0.1)) })
        Console.print("")
        var table = Table([("LINE", .right), ("TIME", .left), ("STATE", .left), ("CAUSE", .left)])
        for line in history {
            table.add(["\(line.sequence)", line.at.description, line.state.rawValue, line.cause])
        }
        table.show()
    }

    private static func amount(_ terms: PaymentIntent.Terms) -> String {
        "\(TokenAmount.decimalText(of: terms.amount, decimals: terms.decimals)) \(terms.symbol)"
    }
}

/// Text that others had a hand in, made safe for a terminal.
enum Printable {
    /// The text with control characters, and those that turn the direction of writing, replaced by question marks.
    static func text(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator: "?"
                    default: scalar
                    }
                }))
    }
}
