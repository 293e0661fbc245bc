import Primitives
import SystemCrypto
import Testing

@Suite("Signatures that libcrypto verifies")
struct SignatureVerificationTests {
    /// One signature with all that it takes to verify it.
    struct Example: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let key: [UInt8]
        let message: [UInt8]
        let signature: [UInt8]
        let verify: @Sendable (_ signature: [UInt8], _ message: [UInt8], _ key: [UInt8]) -> Bool

        init(
            _ name: String, key: [UInt8]?, message: [UInt8], signature: [UInt8]?,
            verify: @escaping @Sendable ([UInt8], [UInt8], [UInt8]) -> Bool
        ) {
            testDescription = name
            self.key = key ?? []
            self.message = message
            self.signature = signature ?? []
            self.verify = verify
        }
    }

    private static let x = Base64.decodeURLSafe("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU") ?? []
    private static let y = Base64.decodeURLSafe("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0") ?? []
    private static let joseMessage = Array(
        ("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
            + "Ijp0cnVlfQ").utf8)
    private static let joseSignature = Base64.decodeURLSafe(
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")

    static let examples = [
        Example(
            "Ed25519 of RFC 8037 A.4",
            key: Base64.decodeURLSafe("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"),
            message: Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8),
            signature: Base64.decodeURLSafe(
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"),
            verify: { Ed25519.verify(signature: $0, message: $1, publicKey: $2) }),
        Example(
            "Ed25519 of RFC 8032 7.1, an empty message",
            key: Hex.decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), message: [],
            signature: Hex.decode(
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                    + "d25bf5f0595bbe24655141438e7a100b"),
            verify: { Ed25519.verify(signature: $0, message: $1, publicKey: $2) }),
        Example(
            "P-256 of RFC 7515 A.3, a whole point", key: [4] + x + y, message: joseMessage, signature: joseSignature,
            verify: { P256.verify(signature: $0, message: $1, publicKey: $2) }),
        Example(
            "P-256 of RFC 7515 A.3, a compressed point", key: [2 + (y.last ?? 0) & 1] + x, message: joseMessage,
            signature: joseSignature, verify: { P256.verify(signature: $0, message: $1, publicKey: $2) }),
    ]

    @Test("a published signature is genuine", arguments: examples)
    func genuine(example: Example) {
        #expect(example.verify(example.signature, example.message, example.key))
    }

    @Test("a flipped bit of signature, message or key is noticed", arguments: examples)
    func flipped(example: Example) {
        for index in example.signature.indices {
            var signature = example.signature
            signature[index] ^= 0x10
            #expect(!example.verify(signature, example.message, example.key), "signature \(index)")
        }
        for index in example.key.indices {
            var key = example.key
            key[index] ^= 0x10
            #expect(!example.verify(example.signature, example.message, key), "key \(index)")
        }
        #expect(!example.verify(example.signature, example.message + [0], example.key))
    }

    @Test("reject- other lengths, zeros, and points off the curve", arguments: examples)
    func malformed(example: Example) {
        let (signature, message, key) = (example.signature, example.message, example.key)
        for length in [0, 1, 63, 65, 128] {
            let other = Array((signature + signature).prefix(length))
            #expect(!example.verify(other, message, key), "\(length)")
        }
        #expect(!example.verify([UInt8](repeating: 0, count: 64), message, key))
        #expect(!example.verify([UInt8](repeating: 0xff, count: 64), message, key))
        #expect(!example.verify(signature, message, []))
        #expect(!example.verify(signature, message, key + [0]))
        #expect(!example.verify(signature, message, Array(key.dropLast())))
        #expect(!example.verify(signature, message, [UInt8](repeating: 0xff, count: key.count)))
    }

    @Test("the other parity of a compressed point is another key, and the hybrid form is none")
    func pointForms() throws {
        let signature = try #require(Self.joseSignature)
        let parity = (Self.y.last ?? 0) & 1
        for (form, rest) in [(3 - parity, Self.x), (6 + parity, Self.x + Self.y), (0, []), (0, Self.x)] {
            #expect(!P256.verify(signature: signature, message: Self.joseMessage, publicKey: [form] + rest))
        }
    }
}
