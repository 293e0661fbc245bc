package import Ledger
package import Primitives

/// What was spent in a period, by agent, payee, gateway, model or day.
///
/// Payments belong to the period they were reserved in and count with the state they have now.
package struct SpendReport: Sendable, Equatable {
    /// What the rows are about.
    ///
    /// Raw values are typed by operators.
    package enum Dimension: String, Sendable, CaseIterable {
        /// The agent that spent.
        case agent
        /// The payee, EIP-55; refusals that were not read so far have none.
        case payee
        /// The gateway.
        case gateway
        /// The model that the request named; erased payments and others have none, and of some it is unknown.
        case model
        /// The UTC day of the reservation.
        case day
    }

    /// An amount exactly, and what it counts for in dollars.
    package struct Amount: Sendable, Equatable {
        /// Atomic units; no sum goes beyond 2^256 - 1.
        package private(set) var units = UInt256.zero
        /// Nano-dollars.
        package private(set) var nanodollars = UInt256.zero

        /// Decimal dollars, exact: `0.0003`, `12`.
        package var dollars: String { TokenAmount.decimalText(of: nanodollars, decimals: 9) }

        mutating func add(_ spend: Spend) {
            units = units.saturatingSum(spend.units)
            nanodollars = nanodollars.saturatingSum(spend.dollars.quantity)
        }

        /// Adds what a whole has more than a part of it.
        mutating func add(_ whole: PaymentIntent.Terms, less part: Spend) {
            units = units.saturatingSum(whole.amount.subtracting(part.units) ?? .zero)
            nanodollars = nanodollars.saturatingSum(whole.value.subtracting(part.dollars)?.quantity ?? .zero)
        }

        mutating func add(_ other: Amount) {
            units = units.saturatingSum(other.units)
            nanodollars = nanodollars.saturatingSum(other.nanodollars)
        }
    }

    /// The sums of a row in one asset.
    package struct Sums: Sendable, Equatable {
        /// Settled or confirmed.
        package var spent = Amount()
        /// Taken to be spent, unproven.
        package var presumed = Amount()
        /// Set aside: somebody may still take it.
        package var exposed = Amount()
        /// Set aside once and free again: voided, released or lapsed, or not used of a maximum.
        package var released = Amount()

        mutating func add(_ spend: Spend, of terms: PaymentIntent.Terms, in state: PaymentState) {
            switch state {
            case .settled, .confirmed:
                spent.add(spend)
                released.add(terms, less: spend)
            case .presumed: presumed.add(spend)
            case .reserved, .resumed, .rejected, .inDoubt: exposed.add(spend)
            case .voided, .released, .lapsed: released.add(spend)
            case .refused: break
            }
        }

        mutating func add(_ other: Sums) {
            spent.add(other.spent)
            presumed.add(other.presumed)
            exposed.add(other.exposed)
            released.add(other.released)
        }
    }

    /// A token, and how its amounts are written.
    package struct Token: Sendable, Hashable {
        /// `network/address`.
        package let asset: String
        /// The symbol people know.
        package let symbol: String
        /// The decimals of amounts.
        package let decimals: Int
    }

    /// One line of the report.
    package struct Row: Sendable, Equatable {
        /// The agent, payee, gateway, model or day; absent for payments that have none.
        package let key: Fact<String>
        /// How many payments money was set aside for.
        package var count: Int64 = 0
        /// How many of them failed: ``PaymentRecord/isFailure``.
        package var failures: Int64 = 0
        /// How many challenges were refused, which no other number here counts; those that were counted and not booked one
        /// by one are among them by agent, by day and in the total.
        package var refused: Int64 = 0
        /// The sums by token.
        package var sums: [Token: Sums] = [:]

        init(key: Fact<String>) { self.key = key }

        /// Failures in 1000 payments, rounded down; 0 without payments.
        package var failuresPerMille: Int64 { count == 0 ? 0 : failures * 1000 / count }

        /// The failures' share as people write it: `12.5%`.
        package var failureRate: String { "\(failuresPerMille / 10).\(failuresPerMille % 10)%" }

        /// The sums with their tokens, by the tokens' names.
        package var sumsInOrder: [(token: Token, sums: Sums)] {
            sums.sorted { ($0.key.asset, $0.key.symbol) < ($1.key.asset, $1.key.symbol) }.map { ($0.key, $0.value) }
        }

        /// Dollars spent or taken to be, over all tokens, in nano-dollars.
        package var spentNanodollars: UInt256 {
            sums.values.reduce(.zero) {
                $0.saturatingSum($1.spent.nanodollars).saturatingSum($1.presumed.nanodollars)
            }
        }

        mutating func add(_ record: PaymentRecord) {
            guard record.state != .refused else {
                refused += 1
                return
            }
            count += 1
            if record.isFailure { failures += 1 }
            guard let terms = record.terms, let spend = record.spend else { return }
            let token = Token(asset: terms.assetName, symbol: terms.symbol, decimals: terms.decimals)
            sums[token, default: Sums()].add(spend, of: terms, in: record.state)
        }

        mutating func add(_ other: Row) {
            count += other.count
            failures += other.failures
            refused += other.refused
            for (token, more) in other.sums { sums[token, default: Sums()].add(more) }
        }
    }

    /// What the rows are about.
    package let dimension: Dimension
    /// The rows: days in order of time, others by their names; the one without a name and the unknown one last.
    package let rows: [Row]
    /// All rows together.
    package let total: Row
    /// How many of the refusals in ``total`` are in no row: they were counted without what the rows are about.
    package let unplaced: Int64

    /// Adds up the payments of a period; in memory are the rows alone.
    package init(
        by dimension: Dimension, of period: Period = .all, in snapshot: any LedgerSnapshot
    ) throws(LedgerError) {
        var rows: [Fact<String>: Row] = [:]
        try period.forEachPayment(in: snapshot) { (record) throws(LedgerError) in
            let key = Self.key(of: record, dimension)
            rows[key, default: Row(key: key)].add(record)
        }
        var unplaced: Int64 = 0
        for (counted, time) in try snapshot.countedRefusals(since: period.start, before: period.end) {
            switch dimension {
            case .agent: rows[.known(counted.agent), default: Row(key: .known(counted.agent))].refused += counted.count
            case .day:
                // Its entry decides in which period it is, and so on which day.
                let day = Fact.known(time.utcDate)
                rows[day, default: Row(key: day)].refused += counted.count
            case .payee, .gateway, .model: unplaced += counted.count
            }
        }
        var total = Row(key: .absent)
        for row in rows.values { total.add(row) }
        total.refused += unplaced
        self.unplaced = unplaced
        self.dimension = dimension
        self.rows = rows.values.sorted { left, right in
            switch (left.key, right.key) {
            case (.known(let left), .known(let right)): left < right
            case (.known, _), (.absent, .unknown): true
            default: false
            }
        }
        self.total = total
    }

    private static func key(of record: PaymentRecord, _ dimension: Dimension) -> Fact<String> {
        switch dimension {
        case .agent: .known(record.purpose.agent)
        case .payee: Fact(record.terms?.payTo)
        case .gateway: .known(record.purpose.gateway)
        case .model: record.purpose.request?.model ?? .absent
        case .day: .known(record.reservedAt.utcDate)
        }
    }
}

extension PaymentRecord {
    /// Whether money was set aside and the agent got no good answer for it, as far as is known.
    ///
    /// Rejected, doubtful and voided payments failed, and so did presumed, confirmed, released and lapsed ones whose last
    /// answer was not 2xx. Those under way have not failed yet.
    package var isFailure: Bool {
        switch state {
        case .refused, .reserved, .resumed, .settled: false
        case .rejected, .inDoubt, .voided: true
        case .presumed, .confirmed, .released, .lapsed: !(evidence.status.map { (200..<300).contains($0) } ?? false)
        }
    }
}
