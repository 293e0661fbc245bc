import Ethereum
import Primitives
import SystemCrypto

/// A public key that a seller signs with.
enum SellerKey: Sendable, Equatable {
    /// 32 bytes of RFC 8032.
    case ed25519([UInt8])
    /// A point in SEC 1 form, 33 or 65 bytes.
    case secp256k1([UInt8])
    /// A point in SEC 1 form, 33 or 65 bytes.
    case p256([UInt8])

    /// Reads the value of `publicKeyMultibase` and of `did:key`: `z` and base58 of a code and a compressed key.
    ///
    /// Source: the did:key method, version 0.9; the codes are varints of the multicodec table.
    init?(multibase text: some StringProtocol) {
        guard text.utf8.first == UInt8(ascii: "z"), let bytes = Base58.decode(text.dropFirst()) else { return nil }
        let key = Array(bytes.dropFirst(2))
        switch (Array(bytes.prefix(2)), key.count) {
        case ([0xed, 0x01], 32): self = .ed25519(key)
        case ([0xe7, 0x01], 33): self = .secp256k1(key)
        case ([0x80, 0x24], 33): self = .p256(key)
        default: return nil
        }
    }

    /// Reads a JSON Web Key (RFC 7517, RFC 8037, RFC 8812) of one of the three curves.
    init?(webKey: JSONValue) {
        func coordinate(_ name: String) -> [UInt8]? {
            guard let bytes = webKey[name]?.string.flatMap({ Base64.decodeURLSafe($0) }) else { return nil }
            return bytes.count == 32 ? bytes : nil
        }
        // A key that is for something else, or whose private half stands beside it, proves nothing.
        guard let x = coordinate("x"), webKey["d"] == nil, webKey["use"].map({ $0.string == "sig" }) ?? true,
            webKey["key_ops"].map({ $0.elements?.contains { $0.string == "verify" } ?? false }) ?? true
        else { return nil }
        switch (webKey["kty"]?.string, webKey["crv"]?.string) {
        case ("OKP", "Ed25519"): self = .ed25519(x)
        case ("EC", "secp256k1"):
            guard let y = coordinate("y") else { return nil }
            self = .secp256k1([0x04] + x + y)
        case ("EC", "P-256"):
            guard let y = coordinate("y") else { return nil }
            self = .p256([0x04] + x + y)
        default: return nil
        }
        guard webKey["alg"].map({ $0.string == algorithm }) ?? true else { return nil }
    }

    /// The algorithm of JSON Web Signatures that this key signs with.
    var algorithm: String {
        switch self {
        case .ed25519: "EdDSA"
        case .secp256k1: "ES256K"
        case .p256: "ES256"
        }
    }

    /// Whether this key's owner signed a message.
    func verify(signature: [UInt8], message: [UInt8], context: Secp256k1Context) -> Bool {
        switch self {
        case .ed25519(let key): Ed25519.verify(signature: signature, message: message, publicKey: key)
        case .p256(let key): P256.verify(signature: signature, message: message, publicKey: key)
        case .secp256k1(let key):
            context.verify(digest: SHA256.hash(message), signature: signature, publicKey: key)
        }
    }
}
