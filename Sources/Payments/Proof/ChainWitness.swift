package import Ledger
package import Primitives
package import X402

/// One authorization whose fate nobody has proven yet: what a witness is asked about.
package struct UnprovenAuthorization: Sendable, Hashable {
    /// Who keeps the nonce; nil when nothing is known of the payment's method, so that nobody can be asked.
    package let keeper: NonceKeeper?
    /// The token contract, EIP-55.
    package let token: String
    /// The payer's address, EIP-55.
    package let payer: String
    /// The authorization's nonce.
    package let nonce: Bytes32

    /// Makes one from its parts.
    package init(keeper: NonceKeeper?, token: String, payer: String, nonce: Bytes32) {
        self.keeper = keeper
        self.token = token
        self.payer = payer
        self.nonce = nonce
    }

    /// The authorization of a payment.
    package init(_ terms: PaymentIntent.Terms) {
        self.init(keeper: NonceKeeper(terms), token: terms.asset, payer: terms.payer, nonce: terms.nonce)
    }
}

/// Whoever can say of a network's final blocks which nonces are used there.
package protocol ChainWitness: Sendable {
    /// Reads every probe's nonce in the state of one final block; the answers are in the order of the probes.
    ///
    /// A block is final when no reorganization can take it back. Throws when the network cannot be read at all.
    func read(_ probes: [UnprovenAuthorization]) async throws -> ProofReading
}

/// What one final block of a network says about some authorizations.
package struct ProofReading: Sendable, Equatable {
    /// The block's number.
    package let finalBlock: UInt64
    /// The block's own time, Unix seconds.
    package let finalTime: Int64
    /// Whether each nonce is used at that block, in the order of the probes; nil for one that could not be read.
    package let used: [Bool?]

    /// Makes a reading.
    package init(finalBlock: UInt64, finalTime: Int64, used: [Bool?]) {
        self.finalBlock = finalBlock
        self.finalTime = finalTime
        self.used = used
    }

    /// What a reading of its nonce proves about a payment; nil when it proves nothing yet.
    ///
    /// A nonce that is used stays used. One that is unused may still be used in any block that comes before the end of
    /// the window, and block times only grow: so a final block past it ends the matter, and nothing else does. Which
    /// second that is depends on the contract that keeps the nonce.
    package func proof(of record: PaymentRecord, used: Bool?) -> PaymentEvent? {
        guard let terms = record.terms, let keeper = NonceKeeper(terms), let used else { return nil }
        if used { return .provenUsed }
        return keeper.isDead(validBefore: terms.validBefore, asOf: finalTime) ? .provenUnused : nil
    }

    /// What the books keep as the reason of a proof.
    package var reason: String { "block \(finalBlock), time \(finalTime)" }
}

extension NonceKeeper {
    /// The keeper of a payment's nonce; nil for a method that is not known, or is of another scheme than the payment's:
    /// such payments are never proven.
    package init?(_ terms: PaymentIntent.Terms) {
        guard let method = PaymentMethods.standard.method(named: terms.method), method.scheme == terms.scheme else {
            return nil
        }
        self = method.keeper
    }
}
