import Primitives
import SystemCrypto
import TestSupport
import Testing

@testable import Wallets

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Passphrases and raw keys")
struct PassphraseTests {
    private let folder: TemporaryFolder

    init() throws {
        self.folder = try TemporaryFolder()
    }

    @Test(
        "one newline at the end is dropped, nothing else",
        arguments: [
            ("pass", "pass"), ("pass\n", "pass"), ("pass\r\n", "pass"), ("pass\n\n", "pass\n"), (" pass ", " pass "),
            ("a\nb\n", "a\nb"), ("₮\n", "₮"), ("\u{0}\n", "\u{0}"),
        ])
    func newline(content: String, passphrase: String) throws {
        let path = try folder.write(content.utf8, to: "pass")
        #expect(try text(PassphraseSource.file(path: path).read()) == passphrase)
    }

    @Test("an empty file is no passphrase", arguments: ["", "\n", "\r\n"])
    func empty(content: String) throws {
        let path = try folder.write(content.utf8, to: "pass")
        #expect(throws: SecretReadError.empty(source: path)) { try PassphraseSource.file(path: path).read() }
    }

    @Test("1024 bytes are read, 1025 are refused")
    func length() throws {
        let longest = String(repeating: "x", count: PassphraseSource.maximumBytes)
        let path = try folder.write((longest + "\r\n").utf8, to: "pass")
        #expect(try text(PassphraseSource.file(path: path).read()) == longest)
        for content in [longest + "x", longest + "x\n", String(repeating: "x", count: 100_000)] {
            try folder.write(content.utf8, to: "pass")
            #expect(throws: SecretReadError.tooLong(source: path)) { try PassphraseSource.file(path: path).read() }
        }
    }

    @Test(
        "a file that others can read is refused, with its path and mode",
        arguments: [0o640, 0o604, 0o644, 0o610, 0o602])
    func permissions(mode: UInt32) throws {
        let path = try folder.write("pass".utf8, to: "pass", mode: mode)
        let error = SecretReadError.readableByOthers(path: path, mode: mode)
        #expect(throws: error) { try PassphraseSource.file(path: path).read() }
        #expect(error.description.contains(path))
        #expect(error.description.contains(String(mode, radix: 8)))
    }

    @Test("a symbolic link is judged by what it points to")
    func link() throws {
        let path = try folder.write("pass".utf8, to: "pass", mode: 0o644)
        #expect(unsafe symlink(path, folder.path("link")) == 0)
        #expect(throws: SecretReadError.readableByOthers(path: folder.path("link"), mode: 0o644)) {
            try PassphraseSource.file(path: folder.path("link")).read()
        }
    }

    @Test("a file of another user is refused")
    func owner() throws {
        let path = try folder.write("pass".utf8, to: "pass")
        // Only root may give a file away; elsewhere there is nothing to test.
        guard unsafe chown(path, 12_345, 0) == 0 else { return }
        #expect(throws: SecretReadError.foreignOwner(path: path, owner: 12_345)) {
            try PassphraseSource.file(path: path).read()
        }
    }

    @Test("what is no file is refused")
    func notAFile() throws {
        #expect(throws: SecretReadError.notAFile(path: folder.path)) {
            try PassphraseSource.file(path: folder.path).read()
        }
        #expect(throws: SecretReadError.notAFile(path: "/dev/null")) {
            try PassphraseSource.file(path: "/dev/null").read()
        }
        let missing = folder.path("missing")
        #expect(throws: SecretReadError.unreadable(source: missing, code: ENOENT)) {
            try PassphraseSource.file(path: missing).read()
        }
    }

    @Test("a descriptor is read to its end, in whatever pieces it comes")
    func descriptor() throws {
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        defer { close(ends[0]) }
        for piece in ["pa", "ss\n"] {
            let bytes = Array(piece.utf8)
            #expect(unsafe write(ends[1], bytes, bytes.count) == bytes.count)
        }
        close(ends[1])
        #expect(try text(PassphraseSource.fileDescriptor(ends[0]).read()) == "pass")
        #expect(throws: SecretReadError.unreadable(source: "descriptor 987", code: EBADF)) {
            try PassphraseSource.fileDescriptor(987).read()
        }
    }

    @Test("a credential is read from the service manager's folder and from nowhere else")
    func credential() throws {
        try folder.write("pass\n".utf8, to: "main", mode: 0o440)
        #expect(try text(PassphraseSource.credential(name: "main", folder: folder.path)) == "pass")
        for name in ["", ".", "..", "../main", "a/b"] {
            #expect(throws: SecretReadError.noCredential(name: name)) {
                try PassphraseSource.credential(name: name, folder: folder.path)
            }
        }
        #expect(throws: SecretReadError.noCredential(name: "main")) {
            try PassphraseSource.credential(name: "main", folder: nil)
        }
        try folder.write("pass\n".utf8, to: "open", mode: 0o444)
        #expect(throws: SecretReadError.self) { try PassphraseSource.credential(name: "open", folder: folder.path) }
    }

    @Test(
        "a raw key is 64 hex digits, with or without a prefix",
        arguments: ["", "0x", "0X"], [String(repeating: "01", count: 32), String(repeating: "aB", count: 32)])
    func rawKey(prefix: String, digits: String) throws {
        let key = try PrivateKeyText.decode(secret(prefix + digits))
        #expect(key.withBytes { bytes in Hex.encode(bytes.indices.map { bytes[$0] }) } == digits.lowercased())
    }

    @Test(
        "reject-raw-key",
        arguments: [
            "01", String(repeating: "0", count: 63), String(repeating: "0", count: 65),
            String(repeating: "0", count: 66),
            "0x" + String(repeating: "0", count: 62), String(repeating: "0", count: 63) + "g",
        ])
    func rejectedRawKey(digits: String) throws {
        let digits = try secret(digits)
        #expect(throws: SecretReadError.notAPrivateKey) { try PrivateKeyText.decode(digits) }
    }
}
