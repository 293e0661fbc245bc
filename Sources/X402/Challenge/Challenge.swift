import Primitives

/// What a seller asks before it answers: a decoded PaymentRequired of version 1 or 2.
package struct Challenge: Sendable, Equatable {
    /// The version the seller spoke and in which it must be answered, 1 or 2.
    package let version: Int
    /// The seller's remark or reason code, at most 256 printable characters: the first that can be read.
    package let error: String?
    /// The `resource` object as received (version 2); nil where there are two.
    package let resource: [UInt8]?
    /// The members of `extensions` in the seller's order, each with its JSON text.
    package let extensions: [Extension]
    /// The entries that could be read, in the seller's order of preference.
    package let requirements: [PaymentRequirement]
    /// Why the other entries could not, by their place in `accepts`.
    package let problems: [Int: RequirementProblem]
    /// The JSON text that it was read from.
    package let text: [UInt8]

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
    /// Something claims to be a challenge, or may be one, and cannot be read; the text says where and why, in at most 320
    /// printable characters.
    case unreadable(String)
    /// The version is neither 1 nor 2.
    case unknownVersion
}

extension Challenge {
    /// The longest decoded challenge that is read.
    package static let maximumBytes = 64 * 1024
    /// The most entries of `accepts` that are read.
    package static let maximumEntries = 64

    /// Reads a challenge out of the first place that has one with an entry that can be read: PAYMENT-REQUIRED,
    /// X-PAYMENT-REQUIRED, the body.
    ///
    /// A header that is no challenge, such as a mark that payment is required, says nothing about the others. Two
    /// challenges that differ under one name cannot both be meant, so neither is taken, nor any other.
    /// Source: x402 HTTP transport; the aliases and encodings are those met in the wild.
    package static func read(_ source: ChallengeSource) throws(ChallengeProblem) -> Challenge {
        var problem: ChallengeProblem?
        // A challenge that asks for nothing that can be read is taken where there is no other.
        var empty: Challenge?
        for field in source.fields {
            var found: [Challenge] = []
            for value in field.values {
                do throws(ChallengeProblem) {
                    found.append(try read(value, of: field.name))
                } catch {
                    problem = problem ?? error
                }
            }
            guard let challenge = found.first else { continue }
            guard found.allSatisfy({ $0 == challenge }) else {
                throw .unreadable("\(field.name) stands there twice, with two challenges")
            }
            if !challenge.requirements.isEmpty { return challenge }
            empty = empty ?? challenge
        }
        do throws(ChallengeProblem) {
            let challenge = try read(source.body)
            return challenge.requirements.isEmpty ? empty ?? challenge : challenge
        } catch {
            if let empty { return empty }
            throw error == .absent ? problem ?? error : error
        }
    }

    private static func read(_ value: [UInt8], of name: String) throws(ChallengeProblem) -> Challenge {
        guard !value.isEmpty else { throw .unreadable("\(name) is empty") }
        guard let text = HeaderText.decode(value, limit: maximumBytes) else {
            throw .unreadable("\(name) is neither base64 nor JSON, or longer than 64 KiB")
        }
        return try read(root: try root(of: text, in: name), document: text, declared: 2)
    }

    private static func read(_ body: ChallengeSource.Body) throws(ChallengeProblem) -> Challenge {
        switch body {
        case .none: throw .absent
        case .unreadable(let reason): throw .unreadable(reason)
        case .beginning(let text, let reason):
            throw mentionsChallenge(HeaderText.withoutMark(text)) ? .unreadable(reason) : .absent
        case .whole(let bytes):
            let text = HeaderText.withoutMark(bytes)
            guard text.count <= maximumBytes, text.first(where: { !$0.isJSONSpace }) == UInt8(ascii: "{") else {
                throw .absent
            }
            let root: JSONValue
            do throws(ChallengeProblem) {
                root = try Self.root(of: text, in: "the body")
            } catch {
                throw mentionsChallenge(text) ? error : .absent
            }
            guard root["x402Version"] != nil || root["accepts"] != nil else { throw .absent }
            return try read(root: root, document: text, declared: nil)
        }
    }

    /// Whether a text that is no whole JSON object begins like a challenge.
    private static func mentionsChallenge(_ text: [UInt8]) -> Bool {
        guard text.first(where: { !$0.isJSONSpace }) == UInt8(ascii: "{") else { return false }
        let words = String(decoding: text, as: UTF8.self)
        return words.contains("\"x402Version\"") || words.contains("\"accepts\"")
    }

    private static let outline = JSONOutline.members([
        ("x402Version", .scalar), ("accepts", .elements(PaymentRequirement.outline)),
        // No payment needs these.
        ("error", .repeatable(.text)), ("resource", .repeatable(.text)),
        ("extensions", .repeatable(.allMembers(.text))),
    ])

    private static func root(of document: [UInt8], in place: String) throws(ChallengeProblem) -> JSONValue {
        do {
            return try JSONReader.read(document, outline: outline)
        } catch {
            throw .unreadable("\(place) is not a JSON text with one reading: \(error)".printable(limit: 320))
        }
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
            error: root.values("error").lazy.compactMap { errorText($0, in: document) }.first,
            resource: resource(root.values("resource"), in: document),
            extensions: try extensions(root.values("extensions"), in: document),
            requirements: requirements,
            problems: problems,
            text: document)
    }

    /// 1, 2, "1" and "2" are all met; anything else is not ours.
    private static func version(of root: JSONValue) -> Int? {
        switch root["x402Version"].flatMap({ $0.string ?? $0.numberText }) {
        case "1": 1
        case "2": 2
        default: nil
        }
    }

    /// One remark; nil where it is `null`, or a text that programs read differently.
    private static func errorText(_ value: JSONValue, in document: [UInt8]) -> String? {
        let text = Array(document[value.range])
        let read: JSONValue
        do {
            read = try JSONReader.read(text, outline: .scalar)
        } catch {
            return nil
        }
        return read.isNull ? nil : (read.string ?? String(decoding: text, as: UTF8.self)).printable(limit: 256)
    }

    private static func resource(_ values: [JSONValue], in document: [UInt8]) -> [UInt8]? {
        guard values.count == 1, document[values[0].range.lowerBound] == UInt8(ascii: "{") else { return nil }
        return values[0].textWithoutNulls(in: document)
    }

    /// The extensions in the seller's order.
    ///
    /// One that occurs twice is left out, as all of them are where `extensions` itself does; where the seller does not take
    /// a payment without it, the challenge has no one reading.
    private static func extensions(
        _ objects: [JSONValue], in document: [UInt8]
    ) throws(ChallengeProblem) -> [Extension] {
        let members = objects.flatMap { $0.members ?? [] }
        guard !members.isEmpty else { return [] }
        let counts = members.reduce(into: [String: Int]()) { $0[$1.key, default: 0] += 1 }
        var extensions: [Extension] = []
        for member in members {
            let raw = member.value.textWithoutNulls(in: document)
            if raw == Array("null".utf8) { continue }
            let offered = Extension(key: member.key, raw: raw, isRequired: ExtensionEntry.isRequired(raw))
            guard objects.count == 1, counts[member.key] == 1 else {
                guard offered.isRequired else { continue }
                throw .unreadable("the extension \(member.key) is required and occurs twice".printable(limit: 320))
            }
            extensions.append(offered)
        }
        return extensions
    }

    /// Why no entry can be paid, where none could be read: by the first that could not.
    package var problemOfEntries: ChallengeProblem {
        guard let first = problems.min(by: { $0.key < $1.key }) else { return .unreadable("accepts has no entry") }
        return .unreadable(
            "entry \(first.key + 1) of accepts cannot be read: \(first.value.sentence)".printable(limit: 320))
    }
}

extension JSONValue {
    /// The values of all members with this key, in the order of the text.
    fileprivate func values(_ key: String) -> [JSONValue] {
        members?.filter { $0.key == key }.map(\.value) ?? []
    }
}

extension UInt8 {
    fileprivate var isJSONSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0a || self == 0x0d }
}
