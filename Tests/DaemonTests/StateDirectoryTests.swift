import Dispatch
import LedgerSQLite
import Logging
import TestSupport
import Testing

@testable import Daemon

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

    @Test(
        "the option that names it can be pasted into a shell",
        arguments: [
            ("/srv/purser-1.2", "--state /srv/purser-1.2"), ("/srv/a path", "--state '/srv/a path'"),
            ("/srv/it's $HOME", #"--state '/srv/it'\''s $HOME'"#),
        ])
    func option(_ root: String, _ expected: String) {
        #expect(StateDirectory(root).option == expected)
    }

    @Test("everything is made for this user alone")
    func creation() throws {
        let state = StateDirectory(folder.path("a/b/state"))
        try state.create()
        try SpoolFolder.prepare(state.spoolFolder)
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

    /// Something that decides over money, and how it is read.
    enum Precious: String, CaseIterable {
        case configuration = "config.yaml"
        case wallets
        case keystore = "wallets/main.json"
        case trust = "ca.pem"
    }

    @Test(
        "what others can write to is refused with its path and mode", arguments: Precious.allCases,
        [0o664, 0o602, 0o777] as [UInt32])
    func writableContents(_ precious: Precious, _ mode: UInt32) async throws {
        let state = try preciousState(precious)
        let path = state.path(precious.rawValue)
        #expect(unsafe chmod(path, mode_t(mode)) == 0)
        let error = try #require(await refusal(state))
        #expect(error.contains("\(path) has mode 0\(String(mode, radix: 8)): others can write to it"), "\(error)")
        #expect(error.contains("chmod go-w \(path)"))
    }

    @Test("what belongs to another user is refused", arguments: Precious.allCases)
    func foreignContents(_ precious: Precious) async throws {
        let state = try preciousState(precious)
        let path = state.path(precious.rawValue)
        // Only root may give a file away; elsewhere there is nothing to test.
        guard unsafe chown(path, 12_345, 0) == 0 else { return }
        #expect(await refusal(state)?.contains("\(path) belongs to user 12345") == true)
    }

    @Test("what others can only read is not refused for that", arguments: Precious.allCases)
    func readableContents(_ precious: Precious) async throws {
        let state = try preciousState(precious)
        #expect(unsafe chmod(state.path(precious.rawValue), precious == .wallets ? 0o755 : 0o644) == 0)
        #expect(await refusal(state)?.contains("write") != true)
    }

    private func preciousState(_ precious: Precious) throws -> StateDirectory {
        let state = StateDirectory(folder.path)
        try state.create()
        try folder.write("{}".utf8, to: "wallets/main.json")
        try folder.write("no certificates".utf8, to: "ca.pem")
        let entry =
            switch precious {
            case .configuration, .wallets: ""
            case .keystore: "wallets: { main: { keystore: wallets/main.json, passphrase-file: p } }"
            case .trust: "trust-file: ca.pem"
            }
        try state.writeConfiguration("listen: 127.0.0.1:0\n\(entry)\n")
        return state
    }

    /// Why a daemon does not start; nil where it does.
    private func refusal(_ state: StateDirectory) async -> String? {
        do {
            try await Serving.serve(
                state.loadConfiguration(), state: state, clock: SystemClock(), random: SystemSources.random,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, ready: { _ in }, untilAsked: {})
            return nil
        } catch {
            return "\(error)"
        }
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

    @Test("a daemon that starts waits out a look at its lock")
    func momentaryLook() throws {
        let lockFile = try folder.write([], to: "daemon.lock")
        let look = unsafe open(lockFile, O_RDONLY)
        #expect(flock(look, LOCK_SH | LOCK_NB) == 0)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(50)) { close(look) }
        let lock = try StateLock(path: lockFile)
        #expect(DaemonPresence.look(at: StateDirectory(folder.path)) == .running(process: getpid()))
        withExtendedLifetime(lock) {}
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
