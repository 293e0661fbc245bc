import Primitives
import X402

/// Challenges and their entries: what is kept for the echo reads as what was vetted.
enum ChallengeInvariants {
    static func check(entry input: [UInt8]) throws(BrokenInvariant) {
        guard let value = try? JSONReader.read(input), let entry = try? PaymentRequirement.read(value, in: input)
        else { return }
        try check(entry)
    }

    static func check(challenge input: [UInt8]) throws(BrokenInvariant) {
        for source in [ChallengeSource(header: input, body: nil), ChallengeSource(header: nil, body: input)] {
            guard let challenge = try? Challenge.read(source) else { continue }
            try check(challenge)
            guard (try? Challenge.read(source)) == challenge else {
                throw BrokenInvariant("the same text is the same challenge")
            }
            // Sellers send the header or the body; what stands in both says the same.
            let text = source.header.map { HeaderText.decode($0, limit: Challenge.maximumBytes) } ?? input
            guard let text else { throw BrokenInvariant("a header that was read has a text") }
            let header = Array(Base64.encode(text).utf8)
            guard (try? Challenge.read(ChallengeSource(header: header, body: nil))) == challenge else {
                throw BrokenInvariant("base 64 of a challenge is the same challenge")
            }
        }
    }

    private static func check(_ challenge: Challenge) throws(BrokenInvariant) {
        try hold(challenge.version == 1 || challenge.version == 2, "the version is known")
        let entries = challenge.requirements.count + challenge.problems.count
        try hold(entries <= Challenge.maximumEntries, "the entries are bounded")
        for entry in challenge.requirements { try check(entry) }
        if let error = challenge.error { try HeaderInvariants.bounded(error, 256) }
        for text in challenge.extensions.map(\.raw) + [challenge.resource].compactMap({ $0 }) {
            guard let value = try? JSONReader.read(text) else { throw BrokenInvariant("what is echoed is JSON") }
            try hold(!hasNullMember(value), "no null is echoed")
        }
    }

    private static func check(_ entry: PaymentRequirement) throws(BrokenInvariant) {
        guard let root = try? JSONReader.read(entry.raw) else { throw BrokenInvariant("an echoed entry is JSON") }
        guard let again = try? PaymentRequirement.read(root, in: entry.raw) else {
            throw BrokenInvariant("an echoed entry can be read")
        }
        try hold(again == entry, "an echoed entry says what was vetted")
        try hold(!hasNullMember(root), "no null is echoed")
        try hold(amountText(of: root) == entry.amount.description, "the amount is the text of the echo")
        try hold(!entry.amount.isZero, "nothing is free")
        try hold(entry.maxTimeoutSeconds ?? 1 > 0, "a window is longer than nothing")
        for (key, text) in [
            ("scheme", entry.scheme), ("network", entry.network), ("asset", entry.asset), ("payTo", entry.payTo),
        ] {
            try hold(root[key]?.string?.utf8.elementsEqual(text.utf8) ?? false, "\(key) is the text of the echo")
        }
    }

    /// The price as the echo spells it.
    static func amountText(of entry: JSONValue) -> String? {
        let value = entry["amount"] ?? entry["maxAmountRequired"]
        return value?.string ?? value?.numberText
    }

    private static func hasNullMember(_ value: JSONValue) -> Bool {
        switch value.kind {
        case .object(let members): members.contains { $0.value.isNull || hasNullMember($0.value) }
        case .array(let elements): elements.contains(where: hasNullMember)
        default: false
        }
    }
}
