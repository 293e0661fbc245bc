import Primitives

/// What stands in a payment in the place of a seller's extension.
package struct ExtensionAnswer: Sendable, Equatable {
    /// The extension's key.
    package let key: String
    /// The seller's entry with our members in its `info`.
    package let raw: [UInt8]
    /// How many bytes longer it becomes by what is signed later, at most.
    let growth: Int

    /// Only an extension's own file makes one.
    init(key: String, raw: [UInt8], growth: Int = 0) {
        self.key = key
        self.raw = raw
        self.growth = growth
    }
}

/// The merge rule of extensions: the seller's entry stays, and `info` gains what the seller did not set.
///
/// Source: x402 core specification, PaymentPayload.extensions.
package enum ExtensionEntry {
    /// The longest seller's entry to which anything is added: such an entry is never left out of a header.
    package static let maximumBytes = 2 * 1024

    /// The entry with members added behind those of its `info`.
    ///
    /// Nil when the entry is too long or has no `info` object, and when the seller has set one of the members to
    /// something else, since its value would have to stay.
    static func adding(_ additions: [(key: String, text: String)], to raw: [UInt8]) -> [UInt8]? {
        guard raw.count <= maximumBytes, let entry = try? JSONReader.read(raw), let members = entry.members,
            let given = entry["info"], given.members != nil,
            additions.allSatisfy({ addition in
                guard let value = given[addition.key] else { return true }
                return value.string?.utf8.elementsEqual(addition.text.utf8) == true
            })
        else { return nil }
        var text = JSONText()
        text.object { object in
            for member in members {
                guard member.key == "info", let info = member.value.members else {
                    object.field(member.key, raw: raw[member.value.range])
                    continue
                }
                object.object("info") { target in
                    for item in info { target.field(item.key, raw: raw[item.value.range]) }
                    for addition in additions where given[addition.key] == nil {
                        target.field(addition.key, addition.text)
                    }
                }
            }
        }
        return text.bytes
    }
}
