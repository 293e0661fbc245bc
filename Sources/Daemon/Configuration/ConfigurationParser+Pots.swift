import Payments

/// What agents share besides connections, gateways and kept bodies and answers.
extension ConfigurationParser {
    mutating func spool(_ root: ConfigurationSection) -> Configuration.Spool {
        var spool = Configuration.Spool.standard
        guard let value = reader.value(root, "spool"),
            let section = reader.section(value, keys: ["total", "path"])
        else { return spool }
        spool.total =
            reader.converted(section, "total", expected: Quantities.sizeForm, Quantities.size) ?? spool.total
        if spool.total < Configuration.Spool.least {
            reader.note(section.place("total"), "less than 1MiB")
        }
        spool.path = reader.text(section, "path")
        return spool
    }

    mutating func paymentPots(_ root: ConfigurationSection) -> PaymentPots {
        var pots = PaymentPots.standard
        pots.learnedPrices = total(root, "learned-prices", in: 16...65_536) ?? pots.learnedPrices
        pots.approvalTurns = total(root, "approval-turns", in: 1...1_024) ?? pots.approvalTurns
        return pots
    }

    private mutating func total(_ root: ConfigurationSection, _ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = reader.value(root, key), let section = reader.section(value, keys: ["total"]) else {
            return nil
        }
        return wholeNumber(section, "total", in: range)
    }
}
