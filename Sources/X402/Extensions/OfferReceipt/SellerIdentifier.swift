import Primitives

/// A decentralized identifier (DID) under which a seller signs, out of the `kid` of a signature.
struct SellerIdentifier: Sendable, Equatable {
    /// The longest `kid` that is read, in bytes.
    static let maximumBytes = 1024

    /// The identifier without the fragment that names one of its keys.
    let text: String
    /// Which of its keys is meant; nil where none is named.
    let fragment: String?
    /// Where its key is.
    let method: Method

    enum Method: Sendable, Equatable {
        /// In the identifier itself: `did:key` and `did:jwk`.
        case key(SellerKey)
        /// In a document at this address, which the named origin answers for: `did:web`.
        case document(url: String, origin: WebOrigin)
    }

    /// Reads a DID URL with or without a fragment; nil for another method, and for paths and queries.
    init?(url: String) {
        guard url.utf8.count <= Self.maximumBytes, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
        let parts = url.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let fragment = parts.count == 2 ? parts[1] : nil
        let words = parts[0].split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count == 3, words[0] == "did", !words[2].isEmpty else { return nil }
        text = String(parts[0])
        self.fragment = fragment.map { String($0) }
        switch words[1] {
        case "key":
            guard fragment == nil || fragment == words[2], let key = SellerKey(multibase: words[2]) else { return nil }
            method = .key(key)
        case "jwk":
            guard fragment == nil || fragment == "0", let json = Base64.decodeURLSafe(words[2]),
                let value = try? JSONReader.read(json), let key = SellerKey(webKey: value)
            else { return nil }
            method = .key(key)
        case "web":
            guard let document = Self.document(words[2]) else { return nil }
            method = document
        default: return nil
        }
    }

    /// Where the document is; only names are taken as hosts, and the port's colon is the only percent escape.
    ///
    /// Source: the did:web method, "Read (Resolve)".
    private static func document(_ name: Substring) -> Method? {
        let segments = name.split(separator: ":", omittingEmptySubsequences: false)
        let authority = segments[0].split(separator: "%3A", omittingEmptySubsequences: false).joined(separator: ":")
        guard segments.count <= 9, let origin = WebOrigin(scheme: "https", authority: authority),
            let last = origin.host.split(separator: ".", omittingEmptySubsequences: false).last,
            let first = last.utf8.first, UInt8(ascii: "a")...UInt8(ascii: "z") ~= first
        else { return nil }
        let path = segments.dropFirst()
        guard path.allSatisfy(isPathSegment) else { return nil }
        let place = path.isEmpty ? ".well-known" : path.joined(separator: "/")
        let port = origin.port == 443 ? "" : ":\(origin.port)"
        return .document(url: "https://\(origin.host)\(port)/\(place)/did.json", origin: origin)
    }

    private static func isPathSegment(_ segment: Substring) -> Bool {
        !segment.isEmpty && segment != "." && segment != ".."
            && segment.utf8.allSatisfy { byte in
                byte.isASCIIDigit || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || byte == 0x2d
                    || byte == 0x2e || byte == 0x5f
            }
    }
}
