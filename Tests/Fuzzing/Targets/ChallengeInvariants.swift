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
            let header = Array(Base64.encode(challenge.text).utf8)
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
        for text in challenge.extensions.map(\.raw) + [challenge.resource].compactMap({ $0 }) { try echoed(text) }
        for entry in challenge.requirements {
            for trims in [false, true] { try check(entry, of: challenge, trims) }
        }
    }

    /// What would be echoed of an entry fits, is JSON, and says what was vetted.
    private static func check(
        _ entry: PaymentRequirement, of challenge: Challenge, _ trims: Bool
    ) throws(BrokenInvariant) {
        let payload = Array("{\"signature\":\"\(String(repeating: "0", count: 600))\"}".utf8)
        let echo = PaymentEcho(
            of: challenge, for: entry, payloadBytes: payload.count,
            identifier: PaymentIdentifier(String(repeating: "f", count: 36)), trimsEntry: trims)
        let fits = PaymentEcho.fits(challenge, for: entry, payloadBytes: payload.count, trimsEntry: trims)
        try hold(fits == (echo != nil), "what fits is known before anything is signed")
        guard let echo else { return }
        guard
            let header = PaymentHeader.rebuild(
                version: challenge.version, payload: payload, accepted: echo.accepted, resource: echo.resource,
                extensions: echo.extensions), let sent = Base64.decodeLenient(header.value.utf8)
        else { throw BrokenInvariant("what is kept for the echo makes a header") }
        let bytes = header.name.utf8.count + 2 + header.value.utf8.count
        try hold(bytes <= PaymentEcho.maximumLineBytes, "a header line is not too long")
        try echoed(sent)
        guard let again = PaymentRequirement(received: echo.accepted) else {
            throw BrokenInvariant("an echoed entry can be read")
        }
        let isSame =
            again.amount == entry.amount && again.payTo == entry.payTo && again.asset == entry.asset
            && again.network == entry.network && again.scheme == entry.scheme && again.extra == entry.extra
            && again.maxTimeoutSeconds == entry.maxTimeoutSeconds
        try hold(isSame, "an echoed entry says what was vetted")
    }

    /// A text that is sent back is JSON and holds no null.
    private static func echoed(_ text: [UInt8]) throws(BrokenInvariant) {
        guard let value = try? JSONReader.read(text, outline: .text) else {
            throw BrokenInvariant("what is echoed is JSON")
        }
        try hold(value.textWithoutNulls(in: text) == Array(text[value.range]), "no null is echoed")
    }

    private static func check(_ entry: PaymentRequirement) throws(BrokenInvariant) {
        try echoed(entry.raw)
        try hold(PaymentRequirement(received: entry.raw) == entry, "an echoed entry says what was vetted")
        try hold(!entry.amount.isZero, "nothing is free")
        try hold(entry.maxTimeoutSeconds ?? 1 > 0, "a window is longer than nothing")
        let keys = ["amount", "maxAmountRequired", "scheme", "network", "asset", "payTo"]
        guard let root = try? JSONReader.read(entry.raw, outline: .members(keys.map { ($0, .scalar) })) else {
            throw BrokenInvariant("an echoed entry has each member once")
        }
        try hold(amountText(of: root) == entry.amount.description, "the amount is the text of the echo")
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
}
