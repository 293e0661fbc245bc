package import Primitives

/// What a cap adds up.
///
/// Raw values are stored and typed by operators.
package enum CapMeasure: String, Sendable, CaseIterable {
    /// The dollar value of payments, in nano-dollars.
    case dollars
    /// Atomic units of the one token that the cap's scope names.
    case units
    /// The number of payments, and of calls that a prepaid gateway bills.
    case payments
}

/// A limit in a window, whosever it is.
package struct CapLimit: Sendable, Hashable {
    /// The window.
    package let window: CapWindow
    /// What is added up.
    package let measure: CapMeasure
    /// The most that may be settled and reserved together: nano-dollars, atomic units or payments.
    package let amount: UInt256

    /// Makes a limit.
    package init(_ window: CapWindow, _ measure: CapMeasure, _ amount: UInt256) {
        self.window = window
        self.measure = measure
        self.amount = amount
    }

    /// Makes a limit in dollars.
    package init(_ window: CapWindow, _ dollars: Dollars) {
        self.init(window, .dollars, dollars.quantity)
    }

    /// What an operator may write for a limit.
    package static let form =
        "WINDOW=DOLLARS, WINDOW=Npayments or WINDOW=Nunits, such as request=0.10, day=5, hour=100payments"

    /// Reads an operator's `day=5`, `hour=100payments` or `month=5000000units`; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let window = CapWindow(parts[0]) else { return nil }
        for measure in [CapMeasure.units, .payments] where parts[1].hasSuffix(measure.rawValue) {
            guard let amount = try? UInt256(decimal: parts[1].dropLast(measure.rawValue.count)) else { return nil }
            // One payment is one payment: a limit on its number would say yes or no to all of them.
            guard measure != .payments || window != .request else { return nil }
            self.init(window, measure, amount)
            return
        }
        guard let dollars = Dollars(parts[1]) else { return nil }
        self.init(window, dollars)
    }
}

/// One limit on one scope.
package struct Cap: Sendable, Hashable {
    /// What names a cap: a scope has at most one of each window and measure.
    package struct Key: Sendable, Hashable {
        /// What is counted.
        package let scope: CapScope
        /// Over which time.
        package let window: CapWindow
        /// In which measure.
        package let measure: CapMeasure

        /// Makes a key.
        package init(_ scope: CapScope, _ window: CapWindow, _ measure: CapMeasure = .dollars) {
            self.scope = scope
            self.window = window
            self.measure = measure
        }
    }

    /// What is counted.
    package let scope: CapScope
    /// How much of it.
    package let limit: CapLimit

    /// Makes a cap.
    package init(_ scope: CapScope, _ limit: CapLimit) {
        self.scope = scope
        self.limit = limit
    }

    /// Makes a cap of an agent as a whole.
    package init(agent: String, _ limit: CapLimit) {
        self.init(CapScope(.agent(agent)), limit)
    }

    /// Its name.
    package var key: Key { Key(scope, limit.window, limit.measure) }

    /// Throws `unsound` for a cap that cannot be: units are units of one token, so the scope has to name it.
    package func checkSoundness() throws(LedgerError) {
        guard limit.measure == .units else { return }
        if case .asset = scope.facet { return }
        throw .unsound("a cap in units needs a scope that names the token")
    }

    /// An amount of the cap's measure for people: `$0.10`, `100 payments`, `5000000 units`.
    package func text(of quantity: UInt256) -> String {
        switch limit.measure {
        case .dollars: "$" + (Dollars(quantity: quantity) ?? .max).description
        case .units: "\(quantity) units"
        case .payments: "\(quantity) \(quantity == UInt256(1) ? "payment" : "payments")"
        }
    }
}

extension Cap: Comparable {
    /// The order of lists and of checks: narrow scopes first, then narrow windows.
    package static func < (left: Cap, right: Cap) -> Bool {
        if left.scope.depth != right.scope.depth { return left.scope.depth > right.scope.depth }
        if left.scope != right.scope { return left.scope.description < right.scope.description }
        if left.limit.window != right.limit.window { return left.limit.window < right.limit.window }
        return left.limit.measure.rawValue < right.limit.measure.rawValue
    }
}

extension Dollars {
    /// The value in the unit of caps, nano-dollars.
    package var quantity: UInt256 { UInt256(UInt64(nanodollars)) }

    /// Dollars from nano-dollars; nil when they are out of range.
    package init?(quantity: UInt256) {
        guard let small = quantity.uint64, let nanodollars = Int64(exactly: small) else { return nil }
        self.init(nanodollars: nanodollars)
    }
}

extension [Cap] {
    /// The smallest limit in dollars over a window of time; nil where there is none.
    ///
    /// Caps on single requests and on a lifetime have no window, and numbers of payments or units of a token no value.
    package var tightestOverTime: Dollars? {
        let limits = lazy.map(\.limit).filter {
            $0.measure == .dollars && $0.window != .request && $0.window != .lifetime
        }
        return limits.map(\.amount).min().map { Dollars(quantity: $0) ?? .max }
    }
}
