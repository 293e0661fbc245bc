package import Primitives

/// A sign-in by which a wallet would get again what it paid for: what stands in the books before it is signed.
package struct SignInIntent: Sendable, Equatable {
    /// Who signs in and what for, decided by which policy.
    package var purpose: PaymentIntent.Purpose
    /// The payment that it takes the place of, as the gate cleared it.
    package let terms: PaymentIntent.Terms
    /// The web origin that asked for it.
    package let origin: String
    /// What is signed.
    package let digest: Bytes32
    /// How many an agent may make in an hour at one gateway.
    package let limit: Int

    /// Makes an intent.
    package init(
        purpose: PaymentIntent.Purpose, terms: PaymentIntent.Terms, origin: String, digest: Bytes32, limit: Int
    ) {
        self.purpose = purpose
        self.terms = terms
        self.origin = origin
        self.digest = digest
        self.limit = limit
    }

    /// The seconds over which sign-ins are counted, up to the present moment.
    package static let window: Int64 = 3600
    /// The cause of the entry that admits one; these are counted.
    package static let admitted = "admitted"

    /// What its entries are about: which agent at which gateway, whose names have no spaces.
    package var subject: String { "\(purpose.agent) at \(purpose.gateway)" }

    /// The entry without which it is not signed.
    package var line: JournalLine { line(Self.admitted, reason: nil) }

    /// The entry that says why it was not signed after all.
    package func withheld(reason: String) -> JournalLine { line("withheld", reason: reason) }

    private func line(_ cause: String, reason: String?) -> JournalLine {
        var text = JSONText()
        text.object { text in
            text.field("origin", origin)
            text.field("wallet", terms.wallet)
            text.field("address", terms.payer)
            text.field("digest", digest.description)
            text.field("policy", optional: purpose.policy?.description)
            text.field("reason", optional: reason)
        }
        return JournalLine(.signIn, subject: subject, cause: cause, detail: text.string)
    }
}

/// The books' answer to a signature that moves no money by itself.
package enum SignatureOutcome: Sendable, Equatable {
    /// Its entry is on disk; the generation is that of the rules it was decided by.
    case admitted(generation: UInt64)
    /// It must not be made.
    case refused(ReservationRefusal)
    /// The agent has made so many within the hour, which is as many as it may.
    case usedUp(Int)
}
