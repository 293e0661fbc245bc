import Primitives

/// A seller's request to sign in with a wallet, read within limits and not yet believed.
///
/// Every text fits into one line of the message that is signed: printable ASCII, so that no text can add a line to it.
/// Source: x402 extension `sign-in-with-x`, CAIP-122, EIP-4361.
package struct SignInChallenge: Sendable, Equatable {
    /// The extension's key.
    package static let key = "sign-in-with-x"
    /// The longest entry that is read, in bytes.
    package static let maximumBytes = 16 * 1024
    /// The supported chains that are looked at.
    package static let maximumChains = 64
    /// The resources that a statement may name.
    package static let maximumResources = 16

    /// The host, with a port, that says it asks.
    let domain: String
    /// The address that is signed in to.
    let uri: String
    /// The seller's number for this request.
    let nonce: String
    /// When the seller says that it asked.
    let issuedAt: Moment
    /// When the statement ends.
    let expirationTime: Moment?
    /// When the statement begins to hold.
    let notBefore: Moment?
    /// What is stated, one line.
    let statement: String?
    /// The seller's name for the request.
    let requestID: String?
    /// What else is meant, addresses.
    let resources: [String]
    /// The chains whose accounts may sign with EIP-191, in the seller's order, in CAIP-2.
    let chains: [String]

    /// A time with its own spelling, which is what is signed.
    struct Moment: Sendable, Equatable {
        let text: String
        let time: Timestamp
    }

    private static let outline = JSONOutline.members([("info", .whole), ("supportedChains", .whole)])

    /// Reads the entry of a challenge; throws ``SignInProblem/unreadable(_:)`` with the member that is at fault.
    package static func read(_ entry: Challenge.Extension) throws(SignInProblem) -> SignInChallenge {
        guard entry.key == key, entry.raw.count <= maximumBytes,
            let root = try? JSONReader.read(entry.raw, outline: outline),
            let info = root["info"], info.members != nil
        else { throw .unreadable("info") }
        guard try Line.required(info, "version", 1...1) == "1" else { throw .unreadable("version") }
        guard let issuedAt = try moment(info, "issuedAt") else { throw .unreadable("issuedAt") }
        return SignInChallenge(
            domain: try Line.required(info, "domain", 1...255),
            uri: try Line.required(info, "uri", 1...WebOrigin.maximumURLBytes),
            nonce: try nonce(info),
            issuedAt: issuedAt,
            expirationTime: try moment(info, "expirationTime"),
            notBefore: try moment(info, "notBefore"),
            statement: try Line.optional(info, "statement", 0...512, spaces: true).flatMap { $0.isEmpty ? nil : $0 },
            requestID: try Line.optional(info, "requestId", 1...256),
            resources: try resources(info["resources"]),
            chains: try chains(root["supportedChains"]))
    }

    /// EIP-4361: at least eight letters and digits.
    private static func nonce(_ info: JSONValue) throws(SignInProblem) -> String {
        let text = try Line.required(info, "nonce", 8...128)
        let isWord = text.utf8.allSatisfy { $0.isASCIIDigit || (UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 0x20) }
        guard isWord else { throw .unreadable("nonce") }
        return text
    }

    private static func moment(_ info: JSONValue, _ key: String) throws(SignInProblem) -> Moment? {
        guard let value = info[key], !value.isNull else { return nil }
        guard let text = value.string, let time = Timestamp(rfc3339: text) else { throw .unreadable(key) }
        return Moment(text: text, time: time)
    }

    private static func resources(_ value: JSONValue?) throws(SignInProblem) -> [String] {
        guard let value, !value.isNull else { return [] }
        guard let elements = value.elements, elements.count <= maximumResources else { throw .unreadable("resources") }
        var resources: [String] = []
        for element in elements { resources.append(try Line.text(element, "resources", 1...WebOrigin.maximumURLBytes)) }
        return resources
    }

    /// One unknown chain does not spoil the others.
    private static func chains(_ value: JSONValue?) throws(SignInProblem) -> [String] {
        guard let elements = value?.elements else { throw .unreadable("supportedChains") }
        return elements.prefix(maximumChains).compactMap { chain in
            guard chain["type"]?.string == "eip191", let id = chain["chainId"]?.string, reference(of: id) != nil else {
                return nil
            }
            return id
        }
    }

    /// The number behind `eip155:`, in canonical decimal.
    static func reference(of chain: String) -> String? {
        guard chain.utf8.count <= 32, chain.utf8.starts(with: "eip155:".utf8) else { return nil }
        let digits = chain.dropFirst("eip155:".count)
        return UInt64(digits).map { String($0) } == String(digits) ? String(digits) : nil
    }
}

/// The texts that may stand in a message made of lines.
private enum Line {
    static func required(
        _ info: JSONValue, _ key: String, _ length: ClosedRange<Int>
    ) throws(SignInProblem) -> String {
        guard let value = info[key] else { throw .unreadable(key) }
        return try text(value, key, length)
    }

    static func optional(
        _ info: JSONValue, _ key: String, _ length: ClosedRange<Int>, spaces: Bool = false
    ) throws(SignInProblem) -> String? {
        guard let value = info[key], !value.isNull else { return nil }
        return try text(value, key, length, spaces: spaces)
    }

    /// Printable ASCII, as EIP-4361 has it: no line break of any script, no control character, no lookalike.
    static func text(
        _ value: JSONValue, _ key: String, _ length: ClosedRange<Int>, spaces: Bool = false
    ) throws(SignInProblem) -> String {
        guard let text = value.string, length.contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f || spaces && $0 == 0x20 })
        else { throw .unreadable(key) }
        return text
    }
}
