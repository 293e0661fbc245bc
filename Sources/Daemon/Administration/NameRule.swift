import Ledger

/// What may name an agent, a gateway or a wallet.
package enum NameRule {
    /// Whether a text is 1 to 64 of `a-z 0-9 . _ -` with a letter or digit first.
    ///
    /// Such a name fits into a path segment and a file name and needs no quoting anywhere.
    package static func isName(_ text: String) -> Bool { Agent.isValidName(text) }
}
