import Ledger
import LedgerSQLite
import Logging
import Policy
import Primitives
import TestSupport
import Testing

@testable import Daemon

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Whether payments are decided by a policy")
struct PolicyPresenceTests {
    private let folder: TemporaryFolder
    private let state: StateDirectory
    private let log = RecordingLog()

    private static let text = "version: 1\ndefault: refuse\n"

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
        try state.create()
        try state.writeConfiguration("listen: 127.0.0.1:0\n")
    }

    /// Why a daemon does not start; nil where it does.
    private func refusal() async -> String? {
        do {
            try await Serving.serve(
                state.loadConfiguration(), state: state, clock: FixedClock(), random: SeededRandom(seed: 1),
                logger: log.logger, ready: { _ in }, untilAsked: {})
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func entries() async throws -> [String] {
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        let entries = try await ledger.read { (books) throws(LedgerError) in
            try books.newestEntries(of: .policy, limit: 10).reversed().map(\.line.subject)
        }
        try ledger.close()
        return entries
    }

    private func hash() throws -> String {
        let file = try state.loadPolicy(.pinned(), isNoneMeant: false)
        return try #require(file).snapshot.hash.description
    }

    @Test("the first start without a policy is told in the log")
    func first() async throws {
        #expect(await refusal() == nil)
        #expect(log.lines.contains { $0.hasPrefix("notice: no policy is in force") })
        #expect(try await entries() == [])
    }

    @Test("where a policy decided before, a start without its file pays nothing and says why")
    func removed() async throws {
        try folder.write(Self.text.utf8, to: "policy.yaml")
        let hash = try hash()
        #expect(await refusal() == nil)
        #expect(unsafe rename(state.policyFile, state.policyFile + "~") == 0)
        let words =
            "there is no \(state.policyFile), and payments were decided by the policy \(hash) until now: put the file "
            + "back, or write `policy: none` in config.yaml to pay without a policy"
        for _ in 0..<2 { #expect(await refusal() == words) }
        #expect(unsafe rename(state.policyFile + "~", state.policyFile) == 0)
        #expect(await refusal() == nil)
        #expect(try await entries() == [hash])

        // Only a word of the operator's leads to none, and back from it a file is enough.
        try FileSystem.remove(state.policyFile)
        try state.writeConfiguration("listen: 127.0.0.1:0\npolicy: none\n")
        #expect(await refusal() == nil)
        #expect(log.lines.contains { $0.hasPrefix("notice: no policy is in force") })
        try state.writeConfiguration("listen: 127.0.0.1:0\n")
        #expect(await refusal() == nil)
        #expect(try await entries() == [hash, "none"])
        try folder.write(Self.text.utf8, to: "policy.yaml")
        #expect(await refusal() == nil)
        #expect(try await entries() == [hash, "none", hash])
        try FileSystem.remove(state.policyFile)
        #expect(await refusal() == words)
    }

    @Test("books of an older version know the policy by their newest payment")
    func olderBooks() async throws {
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        _ = try await ledger.reserve(ReservationRequest(.sample(1, policy: .numbered(9))), at: .vectors)
        try ledger.close()
        #expect(await refusal()?.contains("by the policy \(Bytes32.numbered(9)) until now") == true)
    }

    @Test(
        "what has the file's name and is no policy is no absence either",
        arguments: ["link", "folder", "unreadable", "empty"])
    func otherFiles(what: String) async throws {
        let file = state.policyFile
        switch what {
        case "link": #expect(unsafe symlink(folder.path("nowhere"), file) == 0)
        case "folder": #expect(unsafe mkdir(file, 0o700) == 0)
        case "unreadable": try folder.write([0xff, 0xfe, 0x00], to: "policy.yaml")
        default: try folder.write([], to: "policy.yaml")
        }
        #expect(await refusal()?.contains(file) == true)
        // Nor does the configuration's word stand beside it.
        try state.writeConfiguration("listen: 127.0.0.1:0\npolicy: none\n")
        #expect(
            await refusal() == "policy: config.yaml says `none`, but there is \(file): remove the line or the file")
        #expect(
            ConfigurationFiles.problems(of: try state.loadConfiguration(), state: state)
                == ["policy: config.yaml says `none`, but there is \(file): remove the line or the file"])
    }
}
