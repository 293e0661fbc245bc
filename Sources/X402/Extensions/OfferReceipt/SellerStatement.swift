import Ethereum
import Primitives

/// A signed offer or receipt as transmitted: its text, its content, and what vouches for it.
struct SellerStatement: Sendable {
    /// The longest statement that is read and kept, in bytes of JSON.
    static let maximumBytes = 4096

    /// The object's text as received.
    let text: [UInt8]
    /// The members that were signed.
    let payload: JSONValue
    /// What vouches for them.
    let seal: Seal

    enum Seal: Sendable {
        /// EIP-712.
        case typedData(Signature)
        /// A JSON Web Signature.
        case compact(CompactSignature)
    }

    /// Reads one object out of a document.
    init(_ value: JSONValue, in document: [UInt8]) throws(ProofProblem) {
        guard value.members != nil, value.range.count <= Self.maximumBytes else { throw ProofProblem("length") }
        text = Array(document[value.range])
        guard let signature = value["signature"]?.string else { throw ProofProblem("signature") }
        switch value["format"]?.string {
        case "eip712":
            guard signature.utf8.starts(with: "0x".utf8), let bytes = Hex.decode(signature),
                let parsed = Signature(bytes: bytes)
            else { throw ProofProblem("signature") }
            guard let content = value["payload"], content.members != nil else { throw ProofProblem("payload") }
            payload = content
            seal = .typedData(parsed)
        case "jws":
            let compact = try CompactSignature(signature)
            payload = compact.payload
            seal = .compact(compact)
        default: throw ProofProblem("format")
        }
        guard try natural("version") == 1 else { throw ProofProblem("version") }
    }

    /// A text member.
    func string(_ key: String) throws(ProofProblem) -> String {
        guard let text = payload[key]?.string else { throw ProofProblem(key) }
        return text
    }

    /// A text member, or the empty text that stands for an absent one.
    func string(orEmpty key: String) throws(ProofProblem) -> String {
        guard let value = payload[key], !value.isNull else { return "" }
        return try string(key)
    }

    /// A whole number of at least 0.
    func natural(_ key: String) throws(ProofProblem) -> UInt64 {
        guard let number = payload[key]?.integer, number >= 0 else { throw ProofProblem(key) }
        return UInt64(number)
    }

    /// A whole number of at least 0, or the 0 that stands for an absent one.
    func natural(orZero key: String) throws(ProofProblem) -> UInt64 {
        guard let value = payload[key], !value.isNull else { return 0 }
        return try natural(key)
    }
}

extension X402Offer {
    /// What a statement offers.
    init(_ statement: SellerStatement) throws(ProofProblem) {
        self.init(
            version: try statement.natural("version"), resourceURL: try statement.string("resourceUrl"),
            scheme: try statement.string("scheme"), network: try statement.string("network"),
            asset: try statement.string("asset"), payTo: try statement.string("payTo"),
            amount: try statement.string("amount"), validUntil: try statement.natural(orZero: "validUntil"))
    }
}

extension X402Receipt {
    /// What a statement acknowledges.
    init(_ statement: SellerStatement) throws(ProofProblem) {
        self.init(
            version: try statement.natural("version"), network: try statement.string("network"),
            resourceURL: try statement.string("resourceUrl"), payer: try statement.string("payer"),
            issuedAt: try statement.natural("issuedAt"), transaction: try statement.string(orEmpty: "transaction"))
    }
}
