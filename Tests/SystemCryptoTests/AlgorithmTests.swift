import Primitives
import SystemCrypto
import Testing

@Suite("Algorithms of libcrypto")
struct AlgorithmTests {
    private func secret(_ text: String) throws -> SecretBytes {
        var bytes = Array(text.utf8)
        return try SecretBytes.copyAndWipe(&bytes)
    }

    private func hex(_ secret: SecretBytes) -> String {
        secret.withBytes { bytes in Hex.encode(bytes.indices.map { bytes[$0] }) }
    }

    @Test(
        "SHA-256 of FIPS 180-4's examples",
        arguments: [
            ("", "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "0xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "0x248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, hash: String) {
        #expect(SHA256.hash(Array(text.utf8)).description == hash)
    }

    @Test("PBKDF2-HMAC-SHA256 of RFC 7914 section 11")
    func pbkdf2() throws {
        let key = try KeyDerivation.pbkdf2SHA256(
            passphrase: secret("passwd"), salt: Array("salt".utf8), iterations: 1, count: 64)
        #expect(
            hex(key) == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
                + "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783")
    }

    @Test("scrypt of RFC 7914 section 12")
    func scrypt() throws {
        let key = try KeyDerivation.scrypt(
            passphrase: secret("pleaseletmein"), salt: Array("SodiumChloride".utf8),
            cost: #require(ScryptCost(n: 16_384, r: 8, p: 1)), count: 64)
        #expect(
            hex(key) == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")
    }

    @Test("an empty passphrase is a passphrase")
    func emptyPassphrase() throws {
        let cost = try #require(ScryptCost(n: 16, r: 1, p: 1))
        let key = try KeyDerivation.scrypt(passphrase: secret(""), salt: [], cost: cost, count: 64)
        #expect(
            hex(key) == "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                + "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906")
    }

    struct Cost: Sendable {
        let n: UInt64
        let r: UInt64
        let p: UInt64
    }

    @Test(
        "costs beyond the bounds are refused before any work",
        arguments: [
            Cost(n: 0, r: 8, p: 1), Cost(n: 1, r: 8, p: 1), Cost(n: 3, r: 8, p: 1), Cost(n: 16, r: 0, p: 1),
            Cost(n: 16, r: 8, p: 0), Cost(n: 1 << 21, r: 8, p: 1), Cost(n: 1 << 63, r: 8, p: 1),
            Cost(n: 2, r: .max, p: .max), Cost(n: 1 << 18, r: 8, p: 64), Cost(n: 1 << 18, r: 1, p: 8),
            Cost(n: 2, r: 1 << 20, p: 2),
        ])
    func rejectedCost(cost: Cost) {
        #expect(ScryptCost(n: cost.n, r: cost.r, p: cost.p) == nil)
    }

    @Test("the largest cost that is accepted is within what OpenSSL is allowed to take")
    func wideCost() throws {
        let cost = try #require(ScryptCost(n: 2, r: 1 << 10, p: 1 << 10))
        _ = try KeyDerivation.scrypt(passphrase: secret("x"), salt: [1], cost: cost)
    }

    @Test("PBKDF2 rounds are bounded", arguments: [0, -1, KeyDerivation.maximumIterations + 1])
    func iterations(count: Int) throws {
        let passphrase = try secret("x")
        #expect(throws: CipherError.invalidParameter) {
            try KeyDerivation.pbkdf2SHA256(passphrase: passphrase, salt: [], iterations: count)
        }
    }

    @Test("AES-128-CTR of NIST SP 800-38A F.5.1, there and back")
    func aes() throws {
        var keyBytes = try #require(Hex.decode("2b7e151628aed2a6abf7158809cf4f3c"))
        let key = try SecretBytes.copyAndWipe(&keyBytes)
        let iv = try #require(Hex.decode("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"))
        let text = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        var bytes = try #require(Hex.decode(text))
        let ciphertext = try AES128CTR.encrypt(SecretBytes.copyAndWipe(&bytes), key: key, iv: iv)
        #expect(
            Hex.encode(ciphertext) == "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff")
        #expect(try hex(AES128CTR.decrypt(ciphertext, key: key, iv: iv)) == text)
        #expect(throws: CipherError.failed) { try AES128CTR.decrypt(ciphertext, key: key, iv: [1]) }
    }

    @Test("constant-time comparison compares")
    func comparison() {
        #expect(constantTimeEquals([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEquals([1, 2, 3], [1, 2]))
        #expect(constantTimeEquals([UInt8](), []))
    }

    @Test("system randomness does not repeat")
    func randomness() throws {
        let random = SystemRandom()
        #expect(try random.bytes32() != random.bytes32())
    }
}
