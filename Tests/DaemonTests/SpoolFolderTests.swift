import TestSupport
import Testing

@testable import Daemon

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("The folder of long request bodies")
struct SpoolFolderTests {
    @Test("it is made for this user only, and what an earlier daemon left is removed, and nothing else")
    func leftovers() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/spool"
        try SpoolFolder.prepare(path)
        #expect(try folder.mode(of: "spool") == 0o700)
        for name in ["replay-Ab12Cd", "replay-notes.txt", "other"] {
            try FileSystem.writeText("x", to: "\(path)/\(name)", replacing: false)
        }
        try FileSystem.makeFolders(path + "/replay-folder")
        try SpoolFolder.prepare(path)
        #expect(try FileSystem.entries(of: path) == ["other", "replay-folder", "replay-notes.txt"])
    }

    @Test("reject- a folder that others can write to, one that is a link, and what is no folder")
    func refused() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/spool"
        try SpoolFolder.prepare(path)
        #expect(unsafe chmod(path, 0o770) == 0)
        #expect(throws: StateDirectoryError.writableByOthers(path, mode: 0o770)) { try SpoolFolder.prepare(path) }
        #expect(unsafe chmod(path, 0o700) == 0)
        let link = folder.path + "/link"
        #expect(unsafe symlink(path, link) == 0)
        #expect(throws: StateDirectoryError.link(link)) { try SpoolFolder.prepare(link) }
        let nowhere = folder.path + "/nowhere"
        #expect(unsafe symlink("/nonexistent/x", nowhere) == 0)
        #expect(throws: StateDirectoryError.link(nowhere)) { try SpoolFolder.prepare(nowhere) }
        let file = folder.path + "/file"
        try FileSystem.writeText("x", to: file, replacing: false)
        #expect(throws: StateDirectoryError.notAFolder(file)) { try SpoolFolder.prepare(file) }
    }
}
