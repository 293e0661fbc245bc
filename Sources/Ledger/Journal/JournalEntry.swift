package import Primitives

/// What one entry of the journal says; the store adds number, time and hash.
package struct JournalLine: Sendable, Equatable {
    /// What an entry is about.
    ///
    /// Raw values are stored and exported.
    package enum Kind: String, Sendable, CaseIterable {
        /// A payment took a step, or a challenge was refused.
        case payment
        /// A call of a prepaid gateway.
        case metered
        /// Money came into a wallet or left it without a payment.
        case adjustment
        /// An agent was added, changed or removed.
        case agent
        /// A cap was set or removed.
        case cap
        /// Something was frozen or unfrozen.
        case freeze
        /// Something an operator should hear of: a cap that fills up, a gateway that rejects, a balance that is low.
        case notice
        /// Refusals of an agent were counted and not booked one by one.
        case refusals
        /// A day's last hash, signed.
        case checkpoint
        /// Texts of payments were erased.
        case erasure
        /// A wallet signs in at a seller.
        case signIn = "sign-in"
        /// A wallet gives an allowance.
        case approval
        /// Another policy decides, or none.
        case policy
        /// A wallet's name stands for an account, or for another one than before.
        case wallet
    }

    /// How long the same notice about the same subject is not repeated, in seconds.
    package static let noticePause: Int64 = 3600
    /// The most payments that one entry erases, so that no erasure keeps the books for long.
    package static let erasureLimit = 1000

    /// What it is about.
    package let kind: Kind
    /// Which one: a payment's name, an agent's, a cap's scope, a day, a wallet's name, a policy's hash.
    package let subject: String
    /// What happened: an event's name, a refusal's code, a verb.
    package let cause: String
    /// The payment's state behind it.
    package var state: PaymentState?
    /// What moved.
    package var transfer: Transfer?
    /// Who did it, where a person did.
    package var actor: String?
    /// More about it, as JSON text or in words.
    package var detail: String?
    /// The hash of the terms that were fixed with it.
    package var terms: Bytes32?
    /// The salted hash of what may be erased later.
    package var metadata: Bytes32?

    /// Makes a line.
    package init(
        _ kind: Kind, subject: String, cause: String, state: PaymentState? = nil, transfer: Transfer? = nil,
        actor: String? = nil, detail: String? = nil, terms: Bytes32? = nil, metadata: Bytes32? = nil
    ) {
        self.kind = kind
        self.subject = subject
        self.cause = cause
        self.state = state
        self.transfer = transfer
        self.actor = actor
        self.detail = detail
        self.terms = terms
        self.metadata = metadata
    }
}

/// One entry of the journal: append-only, and bound to all before it by its hash.
package struct JournalEntry: Sendable, Equatable {
    /// 1, 2, 3, … without gaps.
    package let number: Int64
    /// Ledger time; never before that of the entry before.
    package let at: Timestamp
    /// What it says.
    package let line: JournalLine
    /// SHA-256 over the hash before and everything above.
    package let hash: Bytes32

    /// Makes an entry from what the books kept.
    package init(number: Int64, at: Timestamp, line: JournalLine, hash: Bytes32) {
        self.number = number
        self.at = at
        self.line = line
        self.hash = hash
    }

    /// Makes the entry behind another one.
    package init(_ line: JournalLine, number: Int64, at: Timestamp, behind previous: Bytes32) {
        self.init(
            number: number, at: at, line: line,
            hash: Self.hash(of: line, number: number, at: at, behind: previous))
    }

    /// What stands before the first entry.
    package static let origin = Bytes32.zero

    /// The hash an entry must have.
    package static func hash(
        of line: JournalLine, number: Int64, at: Timestamp, behind previous: Bytes32
    ) -> Bytes32 {
        var bytes = CanonicalBytes("purser-entry-1")
        bytes.add(previous)
        bytes.add(number)
        bytes.add(at.milliseconds)
        bytes.add(line.kind.rawValue)
        bytes.add(line.subject)
        bytes.add(line.cause)
        bytes.add(line.state?.rawValue)
        bytes.add(line.transfer?.debit.description)
        bytes.add(line.transfer?.credit.description)
        bytes.add(line.transfer?.asset)
        bytes.add(line.transfer?.amount.description)
        bytes.add(line.actor)
        bytes.add(line.detail)
        bytes.add(line.terms)
        bytes.add(line.metadata)
        return bytes.hash
    }
}
