import Ethereum
import Ledger
import LedgerSQLite
import Primitives
import TestSupport
import Testing
import Wallets

@testable import Daemon

@Suite("Which account a wallet's keystore opens")
struct WalletRecognitionTests {
    private let folder: TemporaryFolder
    private let state: StateDirectory
    private let random = SeededRandom(seed: 5)
    private let log = RecordingLog()
    private let address: String

    init() throws {
        folder = try TemporaryFolder()
        state = StateDirectory(folder.path)
        let wallets = WalletAdministration(state: state, random: random)
        _ = try StateInitialization(state: state, wallets: wallets).run(passphrase: nil, isLight: true)
        try state.writeConfiguration(
            """
            listen: 127.0.0.1:0
            wallets:
              main: { keystore: wallets/main.json, passphrase-file: main.pass, pay: ["eip155:42161/USDT"] }
            """)
        address = try #require(wallets.overview(state.loadConfiguration().wallets).first?.address)
        try alter { text in
            // Other programs leave the address out.
            let start = try #require(text.firstRange(of: #""address":""#)).lowerBound
            let end = try #require(text[start...].firstRange(of: #"","#)).upperBound
            return String(text[..<start] + text[end...])
        }
    }

    private func alter(_ change: (String) throws -> String) throws {
        let file = state.path("wallets/main.json")
        try FileSystem.writeText(try change(try FileSystem.readText(file)), to: file, replacing: true)
    }

    /// Another first digit of the counter block: the checksum still fits, and another key comes out.
    private func alterCounter() throws {
        try alter { text in
            let place = try #require(text.firstRange(of: #""iv":""#)).upperBound
            return text[..<place] + (text[place] == "0" ? "1" : "0") + text[text.index(after: place)...]
        }
    }

    private func refusal(_ accepted: Set<String> = []) async -> String? {
        do {
            try await Serving.serve(
                state.loadConfiguration(), state: state, clock: FixedClock(), random: random, logger: log.logger,
                acceptedAccounts: accepted, ready: { _ in }, untilAsked: {})
            return nil
        } catch {
            return "\(error)"
        }
    }

    private func signer(_ accepted: Set<String>) async throws -> String {
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        let recognition = WalletRecognition(
            books: ledger, accepted: accepted, actor: "tester", clock: FixedClock(), warn: { _ in })
        let signer = try await ApprovalWallet.signer(
            "main", state.loadConfiguration(), state: state, random: random, recognition: recognition)
        return signer.address.checksummed
    }

    @Test("a keystore that opens another account than before is refused until the operator names it")
    func changed() async throws {
        #expect(await refusal() == nil)
        #expect(await refusal() == nil)
        try alterCounter()
        let words = try #require(await refusal())
        #expect(words.contains("the ledger knows the wallet as \(address)"))
        let other = try #require(words.split(separator: "`--accept-address ").last?.prefix(42))
        #expect(words.contains("its keystore opens the account \(other)") && other != address)
        #expect(await refusal([address]) == words)
        // An approval by hand opens the wallet by the same door.
        await #expect(throws: StartFailure.self) { try await signer([address]) }

        #expect(await refusal([String(other)]) == nil)
        #expect(log.lines.contains { $0.contains("wallet main is \(other) from now on; it was \(address)") })
        #expect(await refusal() == nil)
        #expect(try await signer([]) == other)
        try alterCounter()
        #expect(await refusal()?.contains("the ledger knows the wallet as \(other)") == true)
    }

    @Test("books of an older version know the account by the wallet's payments")
    func olderBooks() async throws {
        let ledger = try SQLiteLedger(path: state.ledgerFile)
        try await ledger.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        _ = try await ledger.reserve(ReservationRequest(.sample(1, payer: address)), at: .vectors)
        try ledger.close()
        #expect(await refusal() == nil)
        try alterCounter()
        #expect(await refusal()?.contains("the ledger knows the wallet as \(address)") == true)
    }

    @Test("a keystore that states its address opens no other one, whatever is accepted")
    func stated() async throws {
        let wallets = WalletAdministration(state: state, random: random)
        let copy = try wallets.make(
            "copy", from: .keystoreFile(state.path("wallets/main.json")),
            passphrase: .file(path: state.path("main.pass")), isLight: false)
        #expect(copy.address == address)
        let text = try FileSystem.readText(copy.path)
        #expect(text.contains(#""address":"\#(address.dropFirst(2).lowercased())""#))
        try FileSystem.writeText(text, to: state.path("wallets/main.json"), replacing: true)
        #expect(await refusal() == nil)
        try alterCounter()
        #expect(await refusal()?.contains("wallet main: ") == true)
        #expect(await refusal([address]) != nil)
    }

    @Test("reject- texts that are no account", arguments: ["", "0x1", "0x5050A4F4b3f9338C3472dcC01A87C76A144b3c9C"])
    func accounts(text: String) { #expect(WalletRecognition.account(text) == nil) }
}
