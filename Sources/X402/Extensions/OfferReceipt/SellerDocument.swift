import Ethereum
package import Primitives
import SystemCrypto

/// The keys in the document of a `did:web` identifier, out of a copy that the operator has pinned.
///
/// Source: DID Core 1.0, sections 5.2 and 5.3.1: only a verification method that stands under `assertionMethod` may sign
/// statements, and its controller has to be the identifier itself. Nothing is ever fetched.
package struct SellerDocument: Sendable, Equatable {
    /// The longest document that is read, in bytes.
    package static let maximumBytes = 65_536
    /// Verification methods of one document.
    static let maximumMethods = 100

    /// The identifier, without a fragment.
    package let identifier: String
    /// SHA-256 of the document's bytes.
    package let digest: Bytes32
    /// The keys that may sign statements, by their fragments.
    private let methods: [String: Method]

    private struct Method: Sendable, Equatable {
        let key: SellerKey
        /// The time from which it counts no more; nil when it has none.
        let expires: Timestamp?
    }

    /// Reads a document; throws ``SellerDocumentError`` for one that is not this identifier's or holds no key to use.
    ///
    /// A method of another curve, and one that is revoked, is left out as if it were not there.
    package init(_ bytes: [UInt8], of identifier: String) throws(SellerDocumentError) {
        guard bytes.count <= Self.maximumBytes else { throw .tooLarge(limit: Self.maximumBytes) }
        guard let document = try? JSONReader.read(bytes), document.members != nil else { throw .notJSON }
        guard let id = document["id"]?.string, id.isSameText(as: identifier) else {
            throw .otherIdentifier(document["id"]?.string ?? "none")
        }
        let listed = document["verificationMethod"]?.elements ?? []
        let allowed = document["assertionMethod"]?.elements ?? []
        guard listed.count + allowed.count <= Self.maximumMethods else {
            throw .tooManyMethods(limit: Self.maximumMethods)
        }
        var known: [String: JSONValue] = [:]
        for method in listed {
            guard let name = Self.fragment(method["id"]?.string, of: identifier) else { continue }
            guard known.updateValue(method, forKey: name) == nil else { throw .repeatedMethod(name) }
        }
        var methods: [String: Method] = [:]
        for entry in allowed {
            let (name, value): (String?, JSONValue?)
            if entry.members == nil {
                name = Self.fragment(entry.string, of: identifier)
                value = name.flatMap { known[$0] }
            } else {
                // A method that stands there itself is for this purpose only.
                name = Self.fragment(entry["id"]?.string, of: identifier)
                value = entry
                if let name, known[name] != nil { throw .repeatedMethod(name) }
            }
            guard let name, let value, let method = Self.method(value, of: identifier) else { continue }
            guard methods.updateValue(method, forKey: name).map({ $0 == method }) ?? true else {
                throw .repeatedMethod(name)
            }
        }
        guard !methods.isEmpty else { throw .noKey }
        self.identifier = identifier
        self.digest = SHA256.hash(bytes)
        self.methods = methods
    }

    /// The key that a fragment names; nil for one that is not there, or may not sign statements now.
    func key(_ fragment: String, at now: Timestamp) -> SellerKey? {
        guard let (_, method) = methods.first(where: { $0.key.isSameText(as: fragment) }),
            method.expires.map({ now < $0 }) ?? true
        else { return nil }
        return method.key
    }

    /// The fragment of a DID URL of this identifier, or of a URL that is relative to it.
    private static func fragment(_ url: String?, of identifier: String) -> String? {
        guard let parts = url?.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false), parts.count == 2,
            parts[0].isEmpty || String(parts[0]).isSameText(as: identifier), !parts[1].isEmpty
        else { return nil }
        return String(parts[1])
    }

    private static func method(_ value: JSONValue, of identifier: String) -> Method? {
        guard let controller = value["controller"]?.string, controller.isSameText(as: identifier),
            value["revoked"]?.isNull ?? true
        else { return nil }
        let key: SellerKey?
        switch (value["publicKeyMultibase"]?.string, value["publicKeyJwk"]) {
        case (let text?, nil): key = SellerKey(multibase: text)
        case (nil, let webKey?): key = SellerKey(webKey: webKey)
        default: key = nil
        }
        guard let key else { return nil }
        guard let field = value["expires"], !field.isNull else { return Method(key: key, expires: nil) }
        guard let expires = field.string.flatMap({ Timestamp(rfc3339: $0) }) else { return nil }
        return Method(key: key, expires: expires)
    }
}

/// Why a document cannot be pinned.
package enum SellerDocumentError: Error, Sendable, Equatable {
    /// It is longer than so many bytes.
    case tooLarge(limit: Int)
    /// It is no JSON object, or one with a member twice.
    case notJSON
    /// It is the document of another identifier.
    case otherIdentifier(String)
    /// It has more methods than are read.
    case tooManyMethods(limit: Int)
    /// Two methods have this fragment.
    case repeatedMethod(String)
    /// No method that may sign statements has a key that is understood.
    case noKey
}

extension SellerDocumentError: CustomStringConvertible {
    /// A clause to stand behind the file's name and a colon.
    package var description: String {
        switch self {
        case .tooLarge(let limit): "a DID document of more than \(limit) bytes is not read"
        case .notJSON: "this is no JSON object"
        case .otherIdentifier(let text): "this is the document of another identifier, `\(text.printable(limit: 200))`"
        case .tooManyMethods(let limit): "a DID document of more than \(limit) verification methods is not read"
        case .repeatedMethod(let name): "two verification methods are named `#\(name.printable(limit: 100))`"
        case .noKey:
            "no verification method under `assertionMethod` is controlled by the identifier itself and has a key of "
                + "Ed25519, secp256k1 or P-256 that is not revoked"
        }
    }
}
