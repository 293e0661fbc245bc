import Primitives

extension JSONValue {
    /// Whether two values mean the same: members in any order, numbers by their text.
    func means(_ other: JSONValue) -> Bool {
        switch (kind, other.kind) {
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.means($1) }
        case (.object(let left), .object(let right)):
            left.count == right.count && left.allSatisfy { other[$0.key]?.means($0.value) ?? false }
        default:
            kind == other.kind
        }
    }

    /// Whether everything in `part` stands here too: objects may have more members, all else has to be the same.
    func contains(_ part: JSONValue) -> Bool {
        guard members != nil, let wanted = part.members else { return means(part) }
        return wanted.allSatisfy { self[$0.key]?.contains($0.value) ?? false }
    }

    /// Whether a `null` stands anywhere in the value.
    var holdsNull: Bool {
        switch kind {
        case .null: true
        case .array(let elements): elements.contains(where: \.holdsNull)
        case .object(let members): members.contains { $0.value.holdsNull }
        default: false
        }
    }
}
