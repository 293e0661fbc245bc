import Primitives

/// A JSON Web Signature in compact form (RFC 7515), as sellers sign offers and receipts.
struct CompactSignature: Sendable, Equatable {
    /// The signed content.
    let payload: JSONValue
    /// Whose key it says it is.
    let signer: SellerIdentifier
    /// The algorithm it names: `EdDSA`, `ES256K` or `ES256`.
    let algorithm: String
    /// What was signed, as it was transmitted: header, a point, payload.
    let signedText: [UInt8]
    /// 64 bytes.
    let signature: [UInt8]

    /// Reads the three parts; throws the part that is at fault.
    ///
    /// A header that names critical extensions is refused, since none is known (RFC 7515, 4.1.11). The caller bounds the
    /// length.
    init(_ text: String) throws(ProofProblem) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64.decodeURLSafe(parts[0]), let body = Base64.decodeURLSafe(parts[1]),
            let signature = Base64.decodeURLSafe(parts[2]), signature.count == 64
        else { throw ProofProblem("signature") }
        guard let header = try? JSONReader.read(head), header.members != nil, header["crit"] == nil,
            header["b64"] == nil
        else { throw ProofProblem("header") }
        guard let algorithm = header["alg"]?.string, ["EdDSA", "ES256K", "ES256"].contains(algorithm) else {
            throw ProofProblem("alg")
        }
        guard let signer = header["kid"]?.string.flatMap({ SellerIdentifier(url: $0) }) else {
            throw ProofProblem("kid")
        }
        guard let payload = try? JSONReader.read(body), payload.members != nil else { throw ProofProblem("payload") }
        self.payload = payload
        self.signer = signer
        self.algorithm = algorithm
        self.signedText = Array(text.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
        self.signature = signature
    }
}

/// Which part of a seller's signed statement cannot be read.
struct ProofProblem: Error, Sendable, Equatable {
    let part: String

    init(_ part: String) {
        self.part = part
    }
}
