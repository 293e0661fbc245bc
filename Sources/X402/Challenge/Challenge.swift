import Primitives

/// What a seller asks before it answers: a decoded PaymentRequired of version 1 or 2.
package struct Challenge: Sendable, Equatable {
    /// The version the seller spoke and in which it must be answered, 1 or 2.
    package let version: Int
    /// The seller's remark or reason code, at most 256 printable characters.
    package let error: String?
    /// The `resource` object as received (version 2).
    package let resource: [UInt8]?
    /// The members of `extensions` in the seller's order, each with its JSON text.
    package let extensions: [Extension]
    /// The entries that could be read, in the seller's order of preference.
    package let requirements: [PaymentRequirement]
    /// Why the other entries could not, by their place in `accepts`.
    package let problems: [Int: RequirementProblem]

    /// One extension that the seller offers.
    package struct Extension: Sendable, Equatable {
        /// The extension's key.
        package let key: String
        /// Its JSON text as received, less nulls.
        package let raw: [UInt8]
        /// Whether its `info.required` is true.
        package let isRequired: Bool

        /// Makes an extension.
        package init(key: String, raw: [UInt8], isRequired: Bool) {
            self.key = key
            self.raw = raw
            self.isRequired = isRequired
        }
    }
}

/// Why a 402 could not be understood as an x402 challenge.
package enum ChallengeProblem: Error, Sendable, Equatable {
    /// Neither a header nor a body speaks x402: the answer goes to the agent as it is.
    case absent
    /// Something claims to be a challenge but cannot be read; the text says where.
    case unreadable(String)
    /// The version is neither 1 nor 2.
    case unknownVersion
}

/// The parts of a 402 answer that may hold a challenge.
package struct ChallengeSource: Sendable, Equatable {
    /// The value of PAYMENT-REQUIRED, or of its alias X-PAYMENT-REQUIRED.
    package var header: [UInt8]?
    /// The body, inflated, at most ``Challenge/maximumBytes``; nil when there is none or it is longer.
    package var body: [UInt8]?

    /// Makes a source.
    package init(header: [UInt8]?, body: [UInt8]?) {
        self.header = header
        self.body = body
    }
}

extension Challenge {
    /// The longest decoded challenge that is read.
    package static let maximumBytes = 64 * 1024
    /// The most entries of `accepts` that are read.
    package static let maximumEntries = 64

    /// Reads a challenge; the header wins over the body.
    ///
    /// Source: x402 HTTP transport; the aliases and encodings are those met in the wild.
    package static func read(_ source: ChallengeSource) throws(ChallengeProblem) -> Challenge {
        if let header = source.header, !header.isEmpty {
            guard let text = HeaderText.decode(header, limit: maximumBytes) else {
                throw .unreadable("PAYMENT-REQUIRED is neither base64 nor JSON, or longer than 64 KiB")
            }
            return try read(document: text, declared: 2)
        }
        guard let body = source.body, body.count <= maximumBytes, body.first(where: { !$0.isJSONSpace }) == 0x7b,
            let root = try? JSONReader.read(body), version(of: root) != nil, root["accepts"] != nil
        else { throw .absent }
        return try read(root: root, document: body, declared: nil)
    }

    private static func read(document: [UInt8], declared: Int?) throws(ChallengeProblem) -> Challenge {
        let root: JSONValue
        do {
            root = try JSONReader.read(document)
        } catch {
            throw .unreadable("PAYMENT-REQUIRED is not valid JSON: \(error)".printable(limit: 256))
        }
        return try read(root: root, document: document, declared: declared)
    }

    private static func read(root: JSONValue, document: [UInt8], declared: Int?) throws(ChallengeProblem) -> Challenge {
        guard root.members != nil else { throw .unreadable("the challenge is not a JSON object") }
        guard let version = root["x402Version"] == nil ? declared : version(of: root) else { throw .unknownVersion }
        guard let accepts = root["accepts"]?.elements else { throw .unreadable("accepts is not an array") }
        guard accepts.count <= maximumEntries else {
            throw .unreadable("accepts has more than \(maximumEntries) entries")
        }
        var requirements: [PaymentRequirement] = []
        var problems: [Int: RequirementProblem] = [:]
        for (index, entry) in accepts.enumerated() {
            do {
                requirements.append(try PaymentRequirement.read(entry, in: document))
            } catch {
                problems[index] = error
            }
        }
        return Challenge(
            version: version,
            error: errorText(root["error"], in: document),
            resource: root["resource"].flatMap { $0.members == nil ? nil : $0.textWithoutNulls(in: document) },
            extensions: extensions(root["extensions"], in: document),
            requirements: requirements,
            problems: problems)
    }

    /// 1, 2, "1" and "2" are all met; anything else is not ours.
    private static func version(of root: JSONValue) -> Int? {
        switch root["x402Version"].flatMap({ $0.string ?? $0.numberText }) {
        case "1": 1
        case "2": 2
        default: nil
        }
    }

    private static func errorText(_ value: JSONValue?, in document: [UInt8]) -> String? {
        guard let value, !value.isNull else { return nil }
        return (value.string ?? String(decoding: document[value.range], as: UTF8.self)).printable(limit: 256)
    }

    private static func extensions(_ value: JSONValue?, in document: [UInt8]) -> [Extension] {
        (value?.members ?? []).filter { !$0.value.isNull }.map { member in
            Extension(
                key: member.key, raw: member.value.textWithoutNulls(in: document),
                isRequired: member.value["info"]?["required"]?.bool == true)
        }
    }
}

extension UInt8 {
    fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0a || self == 0x0d }
}
