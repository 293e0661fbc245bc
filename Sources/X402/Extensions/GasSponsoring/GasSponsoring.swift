/// What the two extensions have in common in which a facilitator pays for the approval of Permit2, the only spender
/// that is ever approved.
enum GasSponsoring {
    /// The version of both extensions.
    static let version = "1"
}

/// Why a sponsored approval cannot be sent.
package enum GasSponsoringProblem: Error, Sendable, Equatable {
    /// The seller does not offer the extension.
    case notOffered
    /// The seller's entry cannot take our members: it is too long, has no `info` object, is of another version, or sets
    /// one of the members to something else.
    case unusableEntry
    /// The bytes are no type-2 transaction, or too many.
    case notATransaction
}
