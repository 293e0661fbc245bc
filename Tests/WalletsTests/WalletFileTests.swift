import Ethereum
import Primitives
import SystemCrypto
import TestSupport
import Testing
import Wallets

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Wallet files")
struct WalletFileTests {
    private let folder: TemporaryFolder
    private let keystore: KeystoreV3

    init() throws {
        self.folder = try TemporaryFolder()
        self.keystore = try KeystoreV3(
            parsing: Vectors.bytes(atPath: Vectors.root + "/Wallets/development/payer.json"))
    }

    @Test("a new wallet is readable by its owner only and leaves nothing beside it")
    func create() throws {
        try WalletFile.create(keystore, at: folder.path("main.json"))
        #expect(try folder.mode(of: "main.json") == 0o600)
        #expect(try folder.entries() == ["main.json"])
        #expect(try WalletFile.read(path: folder.path("main.json")) == keystore)
    }

    @Test("a wallet is never overwritten, not even through a link")
    func existing() throws {
        let path = try folder.write("precious".utf8, to: "main.json")
        #expect(throws: WalletFileError.exists(path: path)) { try WalletFile.create(keystore, at: path) }
        #expect(try Vectors.bytes(atPath: path) == Array("precious".utf8))
        #expect(unsafe symlink(path, folder.path("other.json")) == 0)
        #expect(throws: WalletFileError.exists(path: folder.path("other.json"))) {
            try WalletFile.create(keystore, at: folder.path("other.json"))
        }
        #expect(try folder.entries() == ["main.json", "other.json"])
    }

    @Test("a folder that is not there is named in the error")
    func missingFolder() {
        let path = folder.path("missing/main.json")
        #expect(throws: WalletFileError.unwritable(path: path, code: ENOENT)) {
            try WalletFile.create(keystore, at: path)
        }
        #expect(throws: WalletFileError.unreadable(path: path, code: ENOENT)) { try WalletFile.read(path: path) }
    }

    @Test("a folder is listed by name, damaged wallets included")
    func list() throws {
        try WalletFile.create(keystore, at: folder.path("b.json"))
        try folder.write("{}".utf8, to: "a.json")
        try folder.write(keystore.text, to: "UTC--2026-11-22T00-00-00Z--f39f")
        try folder.write("x".utf8, to: ".b.json.tmp")
        try folder.write("x".utf8, to: "notes.txt")
        let entries = try WalletFile.list(folder: folder.path)
        #expect(entries.map(\.name) == ["UTC--2026-11-22T00-00-00Z--f39f", "a", "b"])
        #expect(try entries[0].content.get() == keystore)
        #expect(throws: WalletFileError.keystore(path: folder.path("a.json"), .notAKeystore)) {
            try entries[1].content.get()
        }
        #expect(entries[2].path == folder.path("b.json"))
        #expect(throws: WalletFileError.unreadable(path: folder.path("none"), code: ENOENT)) {
            try WalletFile.list(folder: folder.path("none"))
        }
    }

    @Test("a signing key is valid or not made")
    func signingKeys() throws {
        let context = try Secp256k1Context(seed: SeededRandom(seed: 5).bytes32())
        for byte: UInt8 in [0x00, 0xff] {
            var bytes = [UInt8](repeating: byte, count: 32)
            let secret = try SecretBytes.copyAndWipe(&bytes)
            #expect(throws: SigningError.invalidKey) { try SigningKey(secret: secret, context: context) }
        }
        let first = try SigningKey.generate(context: context)
        let second = try SigningKey.generate(context: context)
        #expect(first.address != second.address)
    }
}
