/// What a verification of the books found.
package struct VerificationReport: Sendable, Equatable {
    /// One kind of check over all rows it applies to.
    package struct Check: Sendable, Equatable {
        /// What is checked.
        ///
        /// Raw values are the JSON of the command line.
        package enum Name: String, Sendable, CaseIterable {
            /// Entries are numbered 1, 2, 3, … without gaps.
            case numbers
            /// Ledger time never goes back.
            case time
            /// Each entry's hash follows from its content and the hash before.
            case chain
            /// Each payment's row begins with its own entry and says what its last entry says.
            case payments
            /// Each payment's row still says what its first entry fixed.
            case terms
            /// Each payment's request and echo still are what its first entry fixed.
            case requests
            /// Each payment goes from state to state as the table of states allows.
            case states
            /// Each entry moves exactly what it must.
            case transfers
            /// What each step left as evidence still is what its entry fixed.
            case evidence
            /// As many payments are erased as the journal tells of.
            case erasures
            /// Each call of a prepaid gateway has its row and its entry.
            case calls
            /// In each asset everything debited was credited.
            case doubleEntry = "double-entry"
            /// Each kept balance is the sum of its entries.
            case balances
            /// Agents, caps and freezes are what the journal says was done to them.
            case rules
            /// Each cap's kept use is what its payments add up to.
            case counters
            /// What is kept of gateways' rejections, and paused because of them, agrees with payments and journal.
            case rejections
            /// Each signature is the payer's over the payment's terms.
            case signatures
            /// Each checkpoint names an entry as it is, and a wallet signed it.
            case checkpoints
        }

        /// What was checked.
        package let name: Name
        /// How many rows were held against something, the broken ones included.
        package var examined: Int64 = 0
        /// How many rows could not be: erased, or not of a kind that is known here.
        package var skipped: Int64 = 0
        /// The first row that does not hold; nil when all do.
        package var failure: Failure?

        init(name: Name) { self.name = name }
    }

    /// A row that does not hold.
    package struct Failure: Sendable, Equatable {
        /// Which: `entry 17`, `payment pay_…`, `balance exposed:scout in …`, `cap agent:scout day dollars`.
        package let row: String
        /// One sentence for people, which names the row.
        package let sentence: String
    }

    /// How far signed checkpoints reach.
    package struct Coverage: Sendable, Equatable {
        /// The last day that a sound checkpoint closes, `2026-11-22`; nil when there is none.
        package let lastDay: String?
        /// The number of the last entry under a checkpoint; 0 when there is none.
        package let lastEntry: Int64
        /// How many entries behind it nobody has signed for.
        package let uncoveredEntries: Int64
        /// How many whole UTC days with entries in them ended since the last checkpoint, by the present time.
        package let openDays: Int64
    }

    /// All checks, in the order of their names.
    package let checks: [Check]
    /// How far checkpoints reach.
    package let coverage: Coverage

    /// Whether no check failed; rows that were skipped do not count against it.
    package var isSound: Bool { checks.allSatisfy { $0.failure == nil } }

    /// The check of a name.
    package subscript(name: Check.Name) -> Check {
        checks.first { $0.name == name } ?? Check(name: name)
    }
}

/// The checks while they are being made.
struct Findings {
    private var checks = Dictionary(
        uniqueKeysWithValues: VerificationReport.Check.Name.allCases.map { ($0, VerificationReport.Check(name: $0)) })

    /// Counts a row, and keeps what is wrong with it when nothing was before.
    ///
    /// The sentence is put behind the row's name.
    mutating func examine(
        _ name: VerificationReport.Check.Name, _ row: @autoclosure () -> String, holds: Bool,
        _ sentence: @autoclosure () -> String
    ) {
        checks[name]?.examined += 1
        guard !holds, checks[name]?.failure == nil else { return }
        let row = row()
        checks[name]?.failure = VerificationReport.Failure(row: row, sentence: "\(row) \(sentence())")
    }

    /// Counts a row that cannot be held against anything.
    mutating func skip(_ name: VerificationReport.Check.Name) { checks[name]?.skipped += 1 }

    /// All checks in the order of their names.
    var all: [VerificationReport.Check] {
        VerificationReport.Check.Name.allCases.compactMap { checks[$0] }
    }
}
