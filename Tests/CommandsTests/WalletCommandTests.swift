import Commands
import Daemon
import Primitives
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

struct WalletCommandTests {
    let place: StateForTests
    let passphrase: String

    init() throws {
        place = try StateForTests(configuration: nil)
        passphrase = try place.folder.write("correct horse\n".utf8, to: "p.pass")
    }

    @Test("a wallet is made, listed and shown without its passphrase")
    func create() async throws {
        let made = await place.done("wallet", "create", "main", "--light", "--passphrase-file", passphrase, "--json")
        let wallet = try made.json
        let address = try #require(wallet["address"]?.string)
        #expect(address.hasPrefix("0x") && address.utf8.count == 42)
        #expect(wallet["path"]?.string == place.state.path("wallets/main.json"))
        #expect(wallet["kdf"]?.string == "scrypt n=4096 r=8 p=6")
        #expect(try place.folder.mode(of: "wallets/main.json") == 0o600)
        #expect(!made.output.contains("correct horse"))

        let listed = try #require(try await place.done("wallet", "list", "--json").json.elements)
        #expect(listed.compactMap { $0["wallet"]?.string } == ["main"])
        #expect(listed.first?["address"]?.string == address)
        #expect(listed.first?["configured"]?.bool == false)
        let shown = await place.done("wallet", "show", "main").output
        #expect(shown.contains(address))
        #expect(shown.contains("pays            not configured"))
    }

    @Test("a raw key is imported under its known address")
    func importKey() async throws {
        // The first account of the phrase that development tools print.
        let key = try place.folder.write(
            "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n".utf8, to: "raw.key")
        let run = await place.done(
            "wallet", "import", "dev", "--key-file", key, "--light", "--passphrase-file", passphrase, "--json")
        #expect(try run.json["address"]?.string == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
        #expect(!run.output.contains("ac0974be"))

        // What was sealed opens again, by a passphrase from a descriptor this time.
        let descriptor = unsafe open(passphrase, O_RDONLY)
        defer { close(descriptor) }
        let copy = await place.done(
            "wallet", "import", "copy", "--keystore", place.state.path("wallets/dev.json"), "--passphrase-fd",
            "\(descriptor)", "--json")
        #expect(try copy.json["address"]?.string == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266")
    }

    @Test("a keystore is copied only when its passphrase opens it")
    func importKeystore() async throws {
        await place.done("wallet", "create", "main", "--light", "--passphrase-file", passphrase)
        let wrong = try place.folder.write("battery staple".utf8, to: "wrong.pass")
        let file = place.state.path("wallets/main.json")
        let run = await place.run("wallet", "import", "copy", "--keystore", file, "--passphrase-file", wrong)
        #expect(run.status == .failed)
        #expect(run.errors.contains("the passphrase does not open this keystore"))
        #expect(try place.folder.entries().contains("wallets"))
        #expect(await place.run("wallet", "show", "copy").status == .missing)
    }

    @Test("an imported keystore gets the address that it opens, where it states none")
    func importWithoutAddress() async throws {
        let made = try await place.done(
            "wallet", "create", "main", "--light", "--passphrase-file", passphrase, "--json"
        ).json
        let address = try #require(made["address"]?.string)
        let text = try place.folder.lines(of: "wallets/main.json").joined(separator: "\n")
        let bare = text.replacing(#""address":"\#(address.dropFirst(2).lowercased())","#, with: "")
        #expect(bare != text)
        let file = try place.folder.write(bare.utf8, to: "bare.json")
        let run = await place.done("wallet", "import", "copy", "--keystore", file, "--passphrase-file", passphrase)
        #expect(run.output.contains("Wallet copy is \(address)."))
        let listed = try #require(try await place.done("wallet", "list", "--json").json.elements)
        #expect(listed.first { $0["wallet"]?.string == "copy" }?["address"]?.string == address)
    }

    @Test("an existing wallet is never replaced")
    func exists() async throws {
        await place.done("wallet", "create", "main", "--light", "--passphrase-file", passphrase)
        let run = await place.run("wallet", "create", "main", "--light", "--passphrase-file", passphrase)
        #expect(run.status == .exists)
    }

    @Test(
        "what cannot be done is told with its own status",
        arguments: [
            FailingCommand(
                ["wallet", "create", "Main", "--passphrase-file", "P"], .usage, "`Main` cannot name a wallet"),
            FailingCommand(
                ["wallet", "create", "../x", "--passphrase-file", "P"], .usage, "`../x` cannot name a wallet"),
            FailingCommand(
                ["wallet", "create", "a", "--passphrase-file", "P", "--passphrase-fd", "3"], .usage, "Use one of"),
            FailingCommand(
                ["wallet", "create", "a", "--passphrase", "secret"], .usage, "Unknown option '--passphrase'"),
            FailingCommand(["wallet", "create", "a", "--passphrase-file", "P.none"], .failed, "cannot be read"),
            FailingCommand(["wallet", "create", "a", "--passphrase-file", "P.open"], .failed, "others can read it"),
            FailingCommand(
                ["wallet", "import", "a", "--passphrase-file", "P"], .usage, "Name either a --key-file or a --keystore."
            ),
            FailingCommand(
                ["wallet", "import", "a", "--keystore", "P", "--light"], .usage, "--light needs --key-file"),
            FailingCommand(
                ["wallet", "import", "a", "--key-file", "P", "--passphrase-file", "P"], .failed, "64 hex digits"),
            FailingCommand(
                ["wallet", "import", "a", "--keystore", "P", "--passphrase-file", "P"], .failed,
                "this is not a keystore"
            ),
            FailingCommand(
                ["wallet", "import", "a", "--keystore", "none", "--passphrase-file", "P"], .missing, "cannot be read"),
            FailingCommand(["wallet", "show", "a"], .missing, "there is no wallet `a`"),
        ])
    func failures(_ command: FailingCommand) async throws {
        try place.folder.write("open".utf8, to: "p.pass.open", mode: 0o644)
        let arguments = command.arguments.map { $0.hasPrefix("P") ? passphrase + $0.dropFirst() : $0 }
        let run = await CommandRun.run(arguments + ["--state", place.folder.path])
        #expect(run.status == command.status, "\(run.errors)")
        #expect(run.errors.contains(command.words), "\(run.errors)")
        #expect(run.output.isEmpty)
    }
}
