import Ethereum
import Primitives
import SystemCrypto
import TestSupport
import Testing

@testable import Policy
@testable import Wallets

@Suite("Keystores")
struct KeystoreTests {
    static let context = Result { try Secp256k1Context(seed: SeededRandom(seed: 1).bytes32()) }
    private let context: Secp256k1Context

    init() throws {
        self.context = try Self.context.get()
    }

    static func interopRows() throws -> [Vectors.Row] {
        let rows = try Vectors.document("Wallets/interop/passphrases.json")["keystores"]?.elements ?? []
        return rows.map { Vectors.Row(description: $0["file"]?.string ?? "", value: $0) }
    }

    @Test("keystores of eth-account open", arguments: try interopRows())
    func interop(row: Vectors.Row) throws {
        let keystore = try KeystoreV3(parsing: Vectors.bytes(of: "Wallets/interop/\(row.string("file"))"))
        let key = try keystore.open(passphrase: secret(row.string("passphrase")), context: context)
        #expect(try key.address.checksummed == row.string("address"))
    }

    @Test("the development keystore opens with its public passphrase and signs")
    func development() throws {
        let keystore = try KeystoreV3(
            parsing: Vectors.bytes(atPath: Vectors.root + "/Wallets/development/payer.json"))
        let key = try keystore.open(passphrase: secret("purser"), context: context)
        #expect(key.address.checksummed == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
        let digest = Keccak256.hash("digest")
        let signature = try key.sign(Signable(digest: digest))
        #expect(context.recover(digest: digest, signature: signature) == key.address)
        #expect(try key.sign(Signable(digest: digest)) == signature)
    }

    @Test("a key comes back out of a keystore made here")
    func roundTrip() throws {
        let key = try SigningKey.generate(context: context)
        let keystore = try seal(key)
        let opened = try KeystoreV3(parsing: keystore.text).open(passphrase: secret("pass"), context: context)
        #expect(opened.address == key.address)
        #expect(try opened.sign(Signable(digest: .zero)) == key.sign(Signable(digest: .zero)))
        let text = String(decoding: keystore.text, as: UTF8.self)
        #expect(text.hasSuffix("}\n"))
        #expect(text.contains("\"n\":4096,\"r\":8,\"p\":6"))
        let id = try #require(keystore.id)
        #expect(id.utf8.count == 36 && Array(id.utf8)[14] == UInt8(ascii: "4"))
    }

    @Test("two keystores of one key share no salt, counter block or identifier")
    func fresh() throws {
        let key = try SigningKey.generate(context: context)
        let random = SeededRandom(seed: 3)
        let first = try seal(key, random: random)
        let second = try seal(key, random: random)
        #expect(first.derivation != second.derivation)
        #expect(first.iv != second.iv)
        #expect(first.id != second.id)
        #expect(first.ciphertext != second.ciphertext)
    }

    @Test("without randomness no keystore is made")
    func noRandomness() throws {
        let key = try SigningKey.generate(context: context)
        #expect(throws: KeystoreError.memory(.randomnessUnavailable)) { try seal(key, random: FixedRandom(nil)) }
    }

    @Test("a wrong passphrase is a wrong passphrase", arguments: ["", "Purser", "purser ", "purser\n"])
    func wrongPassphrase(text: String) throws {
        let keystore = try KeystoreV3(
            parsing: Vectors.bytes(atPath: Vectors.root + "/Wallets/development/payer.json"))
        #expect(throws: KeystoreError.wrongPassphrase) {
            try keystore.open(passphrase: secret(text), context: context)
        }
    }

    @Test("an altered ciphertext or MAC does not open")
    func tampered() throws {
        let text = try developmentText()
        for field in ["ciphertext\":\"d", "mac\":\"8"] {
            let altered = text.replacing(field, with: field.dropLast() + "0")
            #expect(altered != text)
            let keystore = try KeystoreV3(parsing: Array(altered.utf8))
            #expect(throws: KeystoreError.wrongPassphrase) {
                try keystore.open(passphrase: secret("purser"), context: context)
            }
        }
    }

    @Test("a keystore whose address was exchanged is refused after it opened")
    func swappedAddress() throws {
        let text = try developmentText()
            .replacing("f39fd6e51aad88f6f4ce6ab8827279cfffb92266", with: "70997970c51812dc3a010c7d01b50e0d17dc79c8")
        let keystore = try KeystoreV3(parsing: Array(text.utf8))
        let stated = try #require(Address(hex: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"))
        let found = try #require(Address(hex: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"))
        #expect(throws: KeystoreError.addressMismatch(stated: stated, found: found)) {
            try keystore.open(passphrase: secret("purser"), context: context)
        }
    }

    @Test("iv bytes that were altered give another key, which the address betrays")
    func alteredCounter() throws {
        let text = try developmentText().replacing("\"iv\":\"5", with: "\"iv\":\"6")
        let keystore = try KeystoreV3(parsing: Array(text.utf8))
        #expect(throws: KeystoreError.self) { try keystore.open(passphrase: secret("purser"), context: context) }
    }

    @Test("the address may be missing, prefixed or upper case, and the section be written `Crypto`")
    func variants() throws {
        let text = try developmentText()
        let address = "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
        let variants = [
            text.replacing("\"address\":\"\(address)\",", with: ""),
            text.replacing("\"\(address)\"", with: "null"),
            text.replacing(address, with: "0x" + address),
            text.replacing(address, with: address.uppercased()),
            text.replacing("\"crypto\":", with: "\"Crypto\":"),
        ]
        for variant in variants {
            #expect(variant != text)
            let keystore = try KeystoreV3(parsing: Array(variant.utf8))
            let key = try keystore.open(passphrase: secret("purser"), context: context)
            #expect(key.address.description.lowercased() == "0x" + address)
        }
    }

    struct Change: Sendable, CustomTestStringConvertible {
        let old: String
        let new: String
        let error: KeystoreError

        var testDescription: String { "\(old) -> \(new)" }
    }

    static let changes = [
        Change(old: "\"version\":3", new: "\"version\":1", error: .unsupported("its version is not 3")),
        Change(old: "\"version\":3", new: "\"version\":\"3\"", error: .unsupported("its version is not 3")),
        Change(old: "\"version\":3,", new: "", error: .notAKeystore),
        Change(old: "\"crypto\"", new: "\"vault\"", error: .notAKeystore),
        Change(old: "\"crypto\":{", new: "\"Crypto\":{},\"crypto\":{", error: .damaged(field: "crypto")),
        Change(old: "aes-128-ctr", new: "aes-128-cbc", error: .unsupported("cipher aes-128-cbc")),
        Change(old: "\"cipher\":\"aes-128-ctr\",", new: "", error: .damaged(field: "cipher")),
        Change(old: "\"kdf\":\"scrypt\"", new: "\"kdf\":\"argon2id\"", error: .unsupported("key derivation argon2id")),
        Change(old: "\"dklen\":32", new: "\"dklen\":16", error: .unsupported("a derived key of 16 bytes")),
        Change(old: "\"dklen\":32,", new: "", error: .damaged(field: "kdfparams.dklen")),
        Change(old: "\"n\":4096", new: "\"n\":4095", error: .unsupported("scrypt with n = 4095, r = 8, p = 6")),
        Change(old: "\"n\":4096", new: "\"n\":4096.0", error: .damaged(field: "kdfparams")),
        Change(old: "\"n\":4096", new: "\"n\":-4096", error: .damaged(field: "kdfparams")),
        Change(
            old: "\"n\":4096", new: "\"n\":1073741824",
            error: .unsupported("scrypt with n = 1073741824, r = 8, p = 6")),
        Change(old: "\"iv\":\"5ac33c7ebe", new: "\"iv\":\"", error: .damaged(field: "cipherparams.iv")),
        Change(old: "\"iv\":\"5a", new: "\"iv\":\"5ag", error: .damaged(field: "cipherparams.iv")),
        Change(old: "\"ciphertext\":\"dc", new: "\"ciphertext\":\"", error: .damaged(field: "ciphertext")),
        Change(old: "\"mac\":\"8f", new: "\"mac\":\"8g", error: .damaged(field: "mac")),
        Change(old: "\"salt\":\"9f6c", new: "\"salt\":\"9f6", error: .damaged(field: "kdfparams.salt")),
        Change(old: "\"address\":\"f3", new: "\"address\":\"", error: .damaged(field: "address")),
        Change(old: "\"kdf\":\"scrypt\"", new: "\"kdf\":\"pbkdf2\"", error: .damaged(field: "kdfparams.prf")),
        Change(old: "}", new: "", error: .notAKeystore),
    ]

    @Test("reject-keystore: each fault has its own words, before any passphrase is asked for", arguments: changes)
    func rejected(change: Change) throws {
        let text = try developmentText()
        let altered = text.replacing(change.old, with: change.new)
        #expect(altered != text)
        #expect(throws: change.error) { try KeystoreV3(parsing: Array(altered.utf8)) }
    }

    @Test("reject-keystore: hostile PBKDF2 parameters")
    func rejectedPBKDF2() throws {
        let bytes = try Vectors.bytes(of: "Wallets/interop/pbkdf2-small.json")
        let text = String(decoding: bytes, as: UTF8.self)
        func parse(_ old: String, _ new: String) throws -> KeystoreV3 {
            #expect(text.contains(old))
            return try KeystoreV3(parsing: Array(text.replacing(old, with: new).utf8))
        }
        #expect(throws: KeystoreError.damaged(field: "kdfparams.c")) { try parse("\"c\": 2048", "\"c\": 0") }
        #expect(throws: KeystoreError.unsupported("PBKDF2 with 4000000000 rounds")) {
            try parse("\"c\": 2048", "\"c\": 4000000000")
        }
        #expect(throws: KeystoreError.unsupported("PBKDF2 with hmac-sha512")) {
            try parse("hmac-sha256", "hmac-sha512")
        }
    }

    @Test(
        "reject-keystore: what is no keystore at all", arguments: ["", "[]", "{}", "null", "{\"version\":3}", "hello"])
    func notAKeystore(text: String) {
        #expect(throws: KeystoreError.notAKeystore) { try KeystoreV3(parsing: Array(text.utf8)) }
        #expect(throws: KeystoreError.notAKeystore) {
            try KeystoreV3(parsing: Array(repeating: 0x20, count: KeystoreV3.maximumBytes) + Array("{}".utf8))
        }
    }

    private func developmentText() throws -> String {
        String(decoding: try Vectors.bytes(of: "Wallets/development/payer.json"), as: UTF8.self)
    }

    private func seal(_ key: SigningKey, random: some RandomSource = SeededRandom(seed: 2)) throws -> KeystoreV3 {
        try KeystoreV3(sealing: key, passphrase: secret("pass"), cost: .light, random: random, context: context)
    }
}

/// A passphrase for a test, which does not have to be kept from anyone.
func secret(_ text: String) throws -> SecretBytes {
    var bytes = Array(text.utf8)
    return try SecretBytes.copyAndWipe(&bytes)
}

/// The bytes of a secret as text, for comparison.
func text(_ secret: SecretBytes) -> String {
    secret.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
}
