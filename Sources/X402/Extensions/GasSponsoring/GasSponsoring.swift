import Ethereum
import Primitives

/// What the two extensions have in common in which a facilitator pays for the approval of Permit2, the only spender
/// that is ever approved.
enum GasSponsoring {
    /// The version of both extensions.
    static let version = "1"

    /// The member of `info` that holds what the payer signs, by the extension's key.
    static let signedMembers = [EIP2612Sponsoring.key: "signature", ERC20ApprovalSponsoring.key: "signedTransaction"]

    /// Whether an entry holds already what only the payer can add.
    ///
    /// No seller's entry of this kind is ever echoed, so that one in the books is always our own.
    static func isFilled(key: String, raw: [UInt8]) -> Bool {
        guard let member = signedMembers[key] else { return false }
        guard let entry = try? JSONReader.read(raw, outline: ExtensionEntry.outline) else { return true }
        return entry["info"]?[member] != nil
    }

    /// The seller's entry with our members in its `info`.
    static func answer(
        _ key: String, to offered: [Challenge.Extension], members: [(key: String, text: String)], growth: Int = 0
    ) throws(GasSponsoringProblem) -> ExtensionAnswer {
        guard let entry = offered.first(where: { $0.key == key }) else { throw .notOffered }
        guard !isFilled(key: key, raw: entry.raw), let raw = ExtensionEntry.adding(members, to: entry.raw) else {
            throw .unusableEntry
        }
        return ExtensionAnswer(key: key, raw: raw, growth: growth)
    }
}

/// Why a sponsored approval cannot be sent.
package enum GasSponsoringProblem: Error, Sendable, Equatable {
    /// The seller does not offer the extension.
    case notOffered
    /// The seller's entry cannot take our members: it is too long, has no `info` object, is of another version, or sets
    /// one of the members itself.
    case unusableEntry
}
