import TestSupport
import Testing

@testable import Daemon

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Warnings at the start")
struct StartWarningTests {
    /// The warnings that name a folder.
    private func warnings(_ state: String, naming folder: String, user: UInt32 = geteuid()) -> [String] {
        StartWarnings.all(state: StateDirectory(state), user: user).filter { $0.contains("below \(folder),") }
    }

    @Test("root is warned, and nobody else")
    func root() throws {
        let folder = try TemporaryFolder()
        let state = StateDirectory(folder.path)
        #expect(StartWarnings.all(state: state, user: 0).contains { $0.hasPrefix("the daemon runs as root") })
        #expect(!StartWarnings.all(state: state, user: 4711).contains { $0.contains("as root") })
    }

    @Test("a folder above the state directory to which everybody can write is named, at any height and through links")
    func writable() throws {
        let folder = try TemporaryFolder()
        let parent = folder.path("a")
        for path in [parent, parent + "/b", parent + "/b/state"] { #expect(unsafe mkdir(path, 0o700) == 0) }
        let state = parent + "/b/state"
        #expect(warnings(state, naming: parent).isEmpty)
        for (mode, isNamed) in [(0o777, true), (0o702, true), (0o1777, false), (0o770, false), (0o755, false)] {
            #expect(unsafe chmod(parent, mode_t(mode)) == 0)
            #expect(warnings(state, naming: parent).isEmpty == !isNamed, "\(mode)")
        }
        #expect(unsafe chmod(parent, 0o777) == 0)
        #expect(unsafe symlink(state, folder.path("link")) == 0)
        #expect(warnings(folder.path("link"), naming: parent).first?.contains("mode 0777") == true)
        // The state directory itself is judged by `check()`.
        #expect(unsafe chmod(parent, 0o700) == 0 && chmod(state, 0o777) == 0)
        #expect(warnings(state, naming: state).isEmpty)
    }

    @Test("a folder above it that belongs to somebody else is named")
    func foreign() throws {
        let folder = try TemporaryFolder()
        #expect(unsafe mkdir(folder.path("state"), 0o700) == 0)
        let found = warnings(folder.path("state"), naming: folder.path, user: 4711)
        // What belongs to root is nobody else's.
        #expect(found.count == (geteuid() == 0 ? 0 : 1))
    }
}
