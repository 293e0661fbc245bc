import Primitives

/// What of the seller's extensions goes back with the payment.
package enum ExtensionEcho {
    /// The bytes of extensions that are echoed at most, so that the header stays below common 8 KiB limits.
    package static let maximumBytes = 4 * 1024

    /// The `extensions` object for a payment, or nil when there is nothing to say.
    ///
    /// Everything is echoed as received; `payment-identifier` gains our identifier. When the whole is too long,
    /// catalogue data goes first, then signed offers, then whatever is unknown: leaving an extension out is legal,
    /// leaving members of one out is not.
    package static func object(for extensions: [Challenge.Extension], identifier: String) -> [UInt8]? {
        var kept = extensions
        func size() -> Int { kept.reduce(2) { $0 + $1.raw.count + $1.key.utf8.count + 4 } }
        for dispensable in ["bazaar", "offer-receipt"] where size() > maximumBytes {
            kept.removeAll { $0.key == dispensable }
        }
        if size() > maximumBytes { kept.removeAll { $0.key != paymentIdentifier } }
        guard !kept.isEmpty, size() <= maximumBytes else { return nil }
        var text = JSONText()
        text.object { object in
            for entry in kept {
                let raw = entry.key == paymentIdentifier ? identified(entry.raw, as: identifier) : entry.raw
                object.field(entry.key, raw: raw)
            }
        }
        return text.bytes
    }

    private static let paymentIdentifier = "payment-identifier"

    /// Adds `info.id` beside the seller's members, none of which may change; an entry without an `info` object is echoed as it is.
    private static func identified(_ raw: [UInt8], as identifier: String) -> [UInt8] {
        guard let entry = try? JSONReader.read(raw), let members = entry.members, entry["info"]?.members != nil else {
            return raw
        }
        var text = JSONText()
        text.object { object in
            for member in members {
                guard member.key == "info", let info = member.value.members else {
                    object.field(member.key, raw: raw[member.value.range])
                    continue
                }
                object.object("info") { target in
                    for item in info { target.field(item.key, raw: raw[item.value.range]) }
                    if member.value["id"] == nil { target.field("id", identifier) }
                }
            }
        }
        return text.bytes
    }
}
