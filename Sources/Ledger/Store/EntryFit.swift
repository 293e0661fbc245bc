import Primitives

/// Whether bytes that a seller has refused can answer what it asks now.
///
/// A header of version 2 echoes the entry that it answers, and servers compare that with the one they would send now. So an
/// entry that differs, by a quote's id in `extra` say, cannot be met by the old bytes. What only tells the time is left out:
/// a seller that writes a new time into each challenge cannot compare it, since no payment would ever match. A header of
/// version 1 echoes scheme and network alone, and is held against what it signs.
extension PaymentRecord {
    func fits(_ intent: PaymentIntent) -> Bool {
        guard let terms, let echo else { return true }
        guard terms.isSamePurchase(as: intent.terms), echo.version == intent.echo.version else { return false }
        guard echo.version >= 2 else { return true }
        guard let known = try? JSONReader.read(echo.accepted), let asked = try? JSONReader.read(intent.echo.accepted)
        else { return echo.accepted == intent.echo.accepted }
        return known.isSameBesideTimes(as: asked, around: reservedAt)
    }
}

extension PaymentIntent.Terms {
    /// Whether both pay the same amount of the same token to the same payee in the same way.
    fileprivate func isSamePurchase(as other: Self) -> Bool {
        scheme == other.scheme && network == other.network && asset == other.asset && payTo == other.payTo
            && amount == other.amount
    }
}

extension JSONValue {
    /// Whether two values are equal but for moments within a day of `time`, which both have under the same names, and whose
    /// names say that they are times: an id may look like one.
    fileprivate func isSameBesideTimes(as other: JSONValue, around time: Timestamp, name: String = "") -> Bool {
        if let members, let others = other.members {
            return members.count == others.count
                && members.allSatisfy { member in
                    other[member.key]?.isSameBesideTimes(as: member.value, around: time, name: member.key) ?? false
                }
        }
        if let elements, let others = other.elements {
            return elements.count == others.count
                && zip(elements, others).allSatisfy { $0.isSameBesideTimes(as: $1, around: time, name: name) }
        }
        return kind == other.kind || Self.isOfTime(name) && isMoment(near: time) && other.isMoment(near: time)
    }

    /// Whether a member's name says that it is a time, such as `validBefore`, `expires_at` or `timestamp`.
    private static func isOfTime(_ name: String) -> Bool {
        let words = ["time", "date", "expir", "deadline", "valid", "issued", "created", "before", "after"]
        let lower = name.lowercased()
        return words.contains { lower.contains($0) } || name.hasSuffix("At") || lower.hasSuffix("_at")
            || ["at", "iat", "exp", "nbf", "now", "ts"].contains(lower)
    }

    /// Whether a number or a text is a moment in Unix seconds, in milliseconds or as RFC 3339 within a day of `time`.
    private func isMoment(near time: Timestamp) -> Bool {
        let day: Int64 = 86_400
        if let text = string, let moment = Timestamp(rfc3339: text) { return abs(moment.seconds - time.seconds) <= day }
        guard let number = integer ?? string.flatMap({ Int64($0) }) else { return false }
        return [number, number / 1000].contains { $0 > time.seconds - day && $0 < time.seconds + day }
    }
}
