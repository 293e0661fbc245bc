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
        guard raw.count <= maximumBytes, let given = info(in: raw), given.members != nil,
            additions.allSatisfy({ addition in
                guard let value = given[addition.key] else { return true }
                return value.string?.utf8.elementsEqual(addition.text.utf8) == true
            })
        else { return nil }
        var text = JSONText()
        text.object { object in
            for addition in additions where given[addition.key] == nil { object.field(addition.key, addition.text) }
        }
        let added = text.bytes.dropFirst().dropLast()
        guard !added.isEmpty else { return raw }
        let end = given.range.upperBound - 1
        let isEmpty = raw[given.range.lowerBound + 1..<end].allSatisfy { $0 == 0x20 || (0x09...0x0d).contains($0) }
        return raw[..<end] + (isEmpty ? [] : [UInt8(ascii: ",")]) + added + raw[end...]
    }

    /// The `info` of an entry, with its members that are no arrays or objects; nil when there is none that can be read.
    ///
    /// The rest of the entry, its `schema` above all, may be anything.
    static func info(in raw: [UInt8]) -> JSONValue? { (try? JSONReader.read(raw, outline: outline))?["info"] }

    /// Whether an entry says that a payment without it is not taken.
    static func isRequired(_ raw: [UInt8]) -> Bool {
        info(in: raw)?.members?.contains { $0.key == "required" && $0.value.bool == true } ?? false
    }

    /// What is read of an entry.
    static let outline = JSONOutline.members([("info", .allMembers(.scalar))])
}
