import Primitives

/// What of the seller's extensions goes back with the payment.
package enum ExtensionEcho {
    /// The longest header value that the echo may lead to, in base64 characters: some servers take 8 KiB for all headers
    /// of a request.
    package static let maximumHeaderBytes = 6 * 1024

    /// The bytes of JSON that fill such a header.
    private static let maximumBytes = maximumHeaderBytes / 4 * 3
    /// What the envelope needs to name the extensions: `,"extensions":`.
    private static let memberBytes = 14

    /// The `extensions` object for a payment, or nil when there is nothing to say.
    ///
    /// Everything is echoed as received, except what only the payer can add and the seller has; `payment-identifier`
    /// gains our identifier, and an answer stands in the place of the seller's entry. `envelopeBytes` is the JSON around it
    /// (``PaymentHeader/envelopeBytes(payloadBytes:accepted:resource:)``). While the header would be too long, the
    /// seller's catalogue data goes first, then its signed offers, then what is unknown, the longest first: leaving an
    /// extension out is legal, leaving members of one out is not. The identifier and an answer always stay, and both are
    /// bounded by ``ExtensionEntry/maximumBytes``.
    package static func object(
        for offered: [Challenge.Extension], identifier: PaymentIdentifier?, answer: ExtensionAnswer? = nil,
        envelopeBytes: @autoclosure () -> Int
    ) -> [UInt8]? {
        var members = offered.compactMap { entry -> Member? in
            if let answer, answer.key == entry.key { return Member(answer.key, answer.raw) }
            guard !GasSponsoring.isFilled(key: entry.key, raw: entry.raw) else { return nil }
            if entry.key == PaymentIdentifier.key, let answer = identifier?.entry(for: entry) {
                return Member(entry.key, answer)
            }
            return Member(entry.key, entry.raw, goes: rank(of: entry.key))
        }
        let dispensable = members.indices.filter { members[$0].goes != nil }.sorted { left, right in
            let (one, other) = (members[left], members[right])
            return one.goes == other.goes ? one.text.count > other.text.count : one.goes ?? 0 < other.goes ?? 0
        }
        // Most challenges have nothing that could be left out, and then the rest of the header is not measured.
        if !dispensable.isEmpty {
            let room = maximumBytes - envelopeBytes() - memberBytes - (answer?.growth ?? 0)
            // Braces and the commas between: one byte more for the object than its members and their commas have.
            var size = members.reduce(1) { $0 + $1.text.count + 1 }
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
