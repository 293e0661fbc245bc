import TestSupport
import Testing

@testable import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Files of Unix sockets")
struct UnixSocketFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("the file has its mode before anybody can connect", arguments: [0o600, 0o660] as [UInt32])
    func mode(mode: UInt32) throws {
        let file = try UnixSocketFile(path: folder.path("s"), mode: mode)
        defer { close(file.descriptor) }
        #expect(try folder.mode(of: "s") == mode)
        file.remove()
        #expect(try folder.entries().isEmpty)
    }

    @Test("a file that nobody listens at any more is replaced, and only by its own process taken away")
    func stale() throws {
        let first = try UnixSocketFile(path: folder.path("s"), mode: 0o600)
        let second = try UnixSocketFile(path: folder.path("s"), mode: 0o600)
        defer { for file in [first, second] { close(file.descriptor) } }
        first.remove()
        #expect(try folder.entries() == ["s"])
        // Another mode or group makes it no other file.
        #expect(unsafe chmod(folder.path("s"), 0o660) == 0)
        second.remove()
        #expect(try folder.entries().isEmpty)
    }

    @Test("a file that somebody listens at is left alone")
    func taken() throws {
        let path = folder.path("s")
        let first = try UnixSocketFile(path: path, mode: 0o600)
        defer { close(first.descriptor) }
        #expect(listen(first.descriptor, 1) == 0)
        #expect(throws: ListenFailure(.socket(path: path, mode: 0o600), .taken)) {
            try UnixSocketFile(path: path, mode: 0o600)
        }
        #expect(try folder.entries() == ["s"])
    }

    @Test("what is no socket is left alone, a link to one included")
    func otherFiles() throws {
        let path = try folder.write("mine".utf8, to: "s")
        #expect(throws: ListenFailure(.socket(path: path, mode: 0o600), .notASocket)) {
            try UnixSocketFile(path: path, mode: 0o600)
        }
        let link = folder.path("link")
        #expect(unsafe symlink(path, link) == 0)
        #expect(throws: ListenFailure(.socket(path: link, mode: 0o600), .notASocket)) {
            try UnixSocketFile(path: link, mode: 0o600)
        }
        #expect(try folder.entries() == ["link", "s"])
    }

    @Test("reject- paths that no socket can have")
    func paths() {
        for path in ["", folder.path(String(repeating: "x", count: 108)), "/a\u{0}b"] {
            #expect(throws: ListenFailure(.socket(path: path, mode: 0o600), .tooLong)) {
                try UnixSocketFile(path: path, mode: 0o600)
            }
        }
        let missing = folder.path("no/such/folder")
        #expect(throws: ListenFailure(.socket(path: missing, mode: 0o600), .system(ENOENT))) {
            try UnixSocketFile(path: missing, mode: 0o600)
        }
    }
}
