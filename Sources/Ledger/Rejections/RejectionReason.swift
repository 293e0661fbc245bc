import Primitives

/// What the reason says that a seller gives for a rejection.
package enum RejectionReason {
    /// Whether it says that the payer has too little of the token: `insufficient_funds`, or `insufficient balance`, in any
    /// spelling and with anything in front, or a token's own `transfer amount exceeds balance`.
    ///
    /// Too little for gas is the facilitator's own trouble, or the approval's, and is not meant.
    ///
    /// Source: x402 core specification, error codes; the reference facilitators write
    /// `invalid_exact_evm_insufficient_balance` and `permit2_insufficient_balance`.
    package static func saysUnfunded(_ reason: String?) -> Bool {
        guard let reason else { return false }
        let letters = reason.lowercased().unicodeScalars.filter { ("a"..."z").contains($0) }
        let word = String(String.UnicodeScalarView(letters))
        guard !word.contains("gas"), !word.contains("allowance") else { return false }
        return word.contains("exceedsbalance")
            || word.contains("insufficient") && (word.contains("fund") || word.contains("balance"))
    }
}
