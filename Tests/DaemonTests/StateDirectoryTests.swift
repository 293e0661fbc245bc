import Daemon
import LedgerSQLite
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct StateDirectoryTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    @Test(
        "the usual place follows the XDG rules",
        arguments: [
            (["XDG_STATE_HOME": "/s", "HOME": "/h"], "/s/purser"), (["HOME": "/h"], "/h/.local/state/purser"),
            (["XDG_STATE_HOME": "relative", "HOME": "/h"], "/h/.local/state/purser"), (["HOME": "."], nil), ([:], nil),
        ] as [([String: String], String?)])
    func standard(_ environment: [String: String], _ expected: String?) {
        #expect(StateDirectory.standard { environment[$0] }?.root == expected)
    }

    @Test("relative paths are relative to the state directory, absolute ones stay")
    func paths() {
        let state = StateDirectory("/srv/purser/")
        #expect(state.root == "/srv/purser")
        #expect(state.path("main.pass") == "/srv/purser/main.pass")
        #expect(state.path("/etc/ca.pem") == "/etc/ca.pem")
        #expect(StateDirectory("/").path("a") == "/a")
    }

    @Test("everything is made for this user alone")
    func creation() throws {
        let state = StateDirectory(folder.path("a/b/state"))
        try state.create()
        try state.prepareSpool()
        try state.writeSecret("secret", name: "main.pass")
        for name in ["a", "a/b", "a/b/state", "a/b/state/wallets", "a/b/state/spool"] {
            #expect(try folder.mode(of: name) == 0o700, "\(name)")
        }
        #expect(try folder.mode(of: "a/b/state/main.pass") == 0o600)
        #expect(throws: StateDirectoryError.exists(state.path("main.pass"))) {
            try state.writeSecret("other", name: "main.pass")
        }
    }

    @Test("a folder that others can write to is refused", arguments: [0o770, 0o702, 0o777] as [UInt32])
    func writableByOthers(_ mode: UInt32) throws {
        #expect(unsafe chmod(folder.path, mode_t(mode)) == 0)
        let state = StateDirectory(folder.path)
        #expect(throws: StateDirectoryError.writableByOthers(folder.path, mode: mode)) { try state.check() }
        #expect(throws: (any Error).self) { try state.loadConfiguration() }
    }

    @Test("a folder that others can only read is fine")
    func readableByOthers() throws {
        #expect(unsafe chmod(folder.path, 0o755) == 0)
        try StateDirectory(folder.path).check()
    }

    @Test("a missing folder and a file are told apart")
    func wrongKind() throws {
        let file = try folder.write([], to: "file")
        #expect(throws: StateDirectoryError.notAFolder(file)) { try StateDirectory(file).check() }
        #expect(throws: StateDirectoryError.missing(folder.path("none"))) {
            try StateDirectory(folder.path("none")).check()
        }
    }

    @Test("a demonstration clears its own state and nothing else")
    func demonstration() throws {
        let state = StateDirectory(folder.path("demo"))
        try state.resetDemonstration()
        try state.create()
        try state.writeConfiguration("# somebody's\n")
        #expect(throws: StateDirectoryError.notADemonstration(state.root)) { try state.resetDemonstration() }
        try state.writeConfiguration(StateDirectory.demonstrationMark + "\n")
        try folder.write([1], to: "kept")
        #expect(unsafe symlink(folder.path("kept"), state.path("wallets/link")) == 0)
        try state.resetDemonstration()
        #expect(try folder.entries() == ["demo", "kept"])
        #expect(throws: StateDirectoryError.missing(state.configurationFile)) { try state.loadConfiguration() }
    }

    @Test("a daemon is seen by its lock, and leaves no trace when it is gone")
    func presence() throws {
        let state = StateDirectory(folder.path)
        #expect(DaemonPresence.look(at: state) == .stopped)
        #expect(try folder.entries().isEmpty)
        do {
            let lock = try StateLock(path: state.lockFile)
            #expect(DaemonPresence.look(at: state) == .running(process: getpid()))
            withExtendedLifetime(lock) {}
        }
        #expect(DaemonPresence.look(at: state) == .stopped)
    }
}
