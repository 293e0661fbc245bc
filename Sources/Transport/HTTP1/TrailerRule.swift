/// Which trailers a chunked body may have.
package struct TrailerRule: Sendable {
    /// Whether a trailer whose name is an alias is left out, rather than refused.
    let removesAliases: Bool
    /// Whether a trailer line, without its CRLF, is refused for what it says.
    let refuses: (@Sendable ([UInt8]) -> Bool)?

    /// Makes a rule.
    package init(removesAliases: Bool = false, refuses: (@Sendable ([UInt8]) -> Bool)? = nil) {
        self.removesAliases = removesAliases
        self.refuses = refuses
    }

    /// What a sender may not send is refused.
    package static let strict = TrailerRule()
    /// For sellers' answers, which may have been paid for: what only some would misread is left out.
    package static let answers = TrailerRule(removesAliases: true)
}
