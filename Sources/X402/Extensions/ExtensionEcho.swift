import Primitives

/// What of the seller's extensions goes back with the payment.
package enum ExtensionEcho {
    /// The `extensions` object for a payment, or nil when there is nothing to say.
    ///
    /// Everything is echoed as received, except what only the payer can add and the seller has; `payment-identifier`
    /// gains our identifier, and an answer stands in the place of the seller's entry. While the object is longer than
    /// `room`, in bytes, extensions that require nothing go: the seller's catalogue data first, then its signed offers, then
    /// what is unknown, the longest first, and the identifier last. Leaving an extension out is legal, leaving members of
    /// one out is not. What is required stays, and so does an answer, so the object may be longer than `room` in the end.
    package static func object(
        for offered: [Challenge.Extension], identifier: PaymentIdentifier?, answer: ExtensionAnswer? = nil, room: Int
    ) -> [UInt8]? {
        let room = room - (answer?.growth ?? 0)
        var members = offered.compactMap { entry -> Member? in
            if let answer, answer.key == entry.key { return Member(answer.key, answer.raw) }
            guard !GasSponsoring.isFilled(key: entry.key, raw: entry.raw) else { return nil }
            let raw = entry.key == PaymentIdentifier.key ? identifier?.entry(for: entry) ?? entry.raw : entry.raw
            return Member(entry.key, raw, goes: entry.isRequired ? nil : rank(of: entry.key))
        }
        // Braces and the commas between: one byte more for the object than its members and their commas have.
        var size = members.reduce(1) { $0 + $1.text.count + 1 }
        // Of most challenges nothing has to be left out.
        if size > room {
            let dispensable = members.indices.filter { members[$0].goes != nil }.sorted { left, right in
                let (one, other) = (members[left], members[right])
                return one.goes == other.goes ? one.text.count > other.text.count : one.goes ?? 0 < other.goes ?? 0
            }
            for index in dispensable where size > room {
                size -= members[index].text.count + 1
                members[index].isKept = false
            }
        }
        let kept = members.filter(\.isKept)
        guard !kept.isEmpty else { return nil }
        return [UInt8(ascii: "{")] + kept.map(\.text).joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")]
    }

    private static func rank(of key: String) -> Int {
        switch key {
        case "bazaar": 0
        case OfferExtension.key: 1
        case PaymentIdentifier.key: 3
        default: 2
        }
    }

    /// One member of the object, written out, so that sizes are those of the wire.
    private struct Member {
        let text: [UInt8]
        /// When it is left out, lowest first; nil for never.
        let goes: Int?
        var isKept = true

        init(_ key: String, _ raw: [UInt8], goes: Int? = nil) {
            var text = JSONText()
            text.object { $0.field(key, raw: raw) }
            self.text = Array(text.bytes.dropFirst().dropLast())
            self.goes = goes
        }
    }
}
