import Primitives

/// The payer's own name for one request, the same for every repetition of it.
///
/// Source: x402 extension `payment-identifier`.
package struct PaymentIdentifier: Hashable, Sendable {
    /// The extension's key.
    package static let key = "payment-identifier"

    /// 16 to 128 characters of A to Z, a to z, 0 to 9, `_` and `-`.
    package let text: String

    /// One as long as those of payments, to measure with before there is any.
    static let placeholder = PaymentIdentifier(String(repeating: "0", count: 36))

    /// Takes a text; nil when it is no identifier.
    package init?(_ text: String) {
        let isWord = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isWord, (16...128).contains(text.utf8.count) else { return nil }
        self.text = text
    }

    /// Whether a seller requires an identifier in an entry that cannot take one, so that a payment would be refused.
    package static func cannotBeGiven(to offered: [Challenge.Extension]) -> Bool {
        offered.contains { entry in entry.key == key && entry.isRequired && !isUsable(entry) }
    }

    /// The seller's entry with this identifier in its `info`; nil when the entry cannot take one.
    ///
    /// An identifier that the seller has set already stays, as every member of the seller's does.
    func entry(for offered: Challenge.Extension) -> [UInt8]? {
        Self.given(in: offered) == nil
            ? ExtensionEntry.adding([("id", text)], to: offered.raw) : Self.isUsable(offered) ? offered.raw : nil
    }

    private static func isUsable(_ entry: Challenge.Extension) -> Bool {
        guard let given = given(in: entry) else { return ExtensionEntry.adding([], to: entry.raw) != nil }
        return given.string.flatMap(PaymentIdentifier.init) != nil
    }

    private static func given(in entry: Challenge.Extension) -> JSONValue? {
        guard entry.raw.count <= ExtensionEntry.maximumBytes else { return nil }
        return ExtensionEntry.info(in: entry.raw)?["id"]
    }
}
