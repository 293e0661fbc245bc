import ArgumentParser
import Daemon
import Wallets

/// The command `purser wallet`.
struct WalletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wallet", abstract: "The keys that pay.",
        discussion:
            "Passphrases come from a file, a descriptor, a systemd credential or a prompt; never from the command line.",
        subcommands: [
            WalletCreateCommand.self, WalletImportCommand.self, WalletListCommand.self, WalletShowCommand.self,
            WalletApproveCommand.self, WalletAllowanceCommand.self,
        ])
}

struct WalletCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make a new key and write wallets/NAME.json.")

    @Argument(help: "The wallet's name.")
    var name: String

    @Flag(help: "Derive the key with 4 MiB of memory instead of 256: faster, and weaker against guessing.")
    var light = false

    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var options: StateOptions

    func run() async throws {
        let wallets = WalletAdministration(state: try options.directory(), random: SystemSources.random)
        let wallet = try wallets.make(
            name, from: .freshKey, passphrase: try passphrase.source(confirm: true), isLight: light)
        NewWallet.show(wallet, json: options.json)
    }
}

struct WalletImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Take over a key and write wallets/NAME.json.",
        discussion: """
            The passphrase options mean the new wallet's passphrase with --key-file, and the keystore's own with \
            --keystore: the keystore is opened once, then copied, with the address that it opens where it states none.
            """)

    @Argument(help: "The wallet's name.")
    var name: String

    @Option(help: ArgumentHelp("A file with a private key of 64 hex digits that only you can read.", valueName: "file"))
    var keyFile: String?

    @Option(help: ArgumentHelp("A version 3 keystore, as geth and eth-account write it.", valueName: "file"))
    var keystore: String?

    @Flag(help: "With --key-file: derive the key with 4 MiB of memory instead of 256.")
    var light = false

    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var options: StateOptions

    func validate() throws {
        guard (keyFile == nil) != (keystore == nil) else {
            throw ValidationError("Name either a --key-file or a --keystore.")
        }
        if light, keystore != nil { throw ValidationError("--light needs --key-file: a keystore keeps its own.") }
    }

    func run() async throws {
        let origin: WalletAdministration.Origin =
            if let keyFile { .keyFile(try Path.absolute(keyFile)) } else {
                .keystoreFile(try Path.absolute(keystore ?? ""))
            }
        let wallets = WalletAdministration(state: try options.directory(), random: SystemSources.random)
        let source = try passphrase.source(confirm: keyFile != nil)
        NewWallet.show(
            try wallets.make(name, from: origin, passphrase: source, isLight: light), json: options.json)
    }
}

/// What is printed after a wallet was made.
private enum NewWallet {
    static func show(_ wallet: WalletOverview, json: Bool) {
        guard !json else { return JSONOutput.object { WalletOutput.write(wallet, to: &$0) } }
        Console.print("Wallet \(wallet.name) is \(wallet.address ?? "at an address its keystore does not state").")
        Console.print("Its keystore is \(wallet.path): back it up, together with its passphrase.")
        Console.print("Let it pay: add it to `wallets:` in config.yaml and restart the daemon.")
    }
}

struct WalletListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the configured wallets and what else lies in wallets/.")

    @OptionGroup var options: StateOptions

    func run() async throws {
        let wallets = try options.wallets()
        if options.json {
            JSONOutput.array(wallets) { WalletOutput.write($1, to: &$0) }
        } else {
            WalletOutput.show(wallets)
        }
    }
}

struct WalletShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one wallet; its passphrase is not needed.")

    @Argument(help: "The wallet's name.")
    var name: String

    @OptionGroup var options: StateOptions

    func run() async throws {
        guard let wallet = try options.wallets().first(where: { $0.name == name }) else {
            throw CommandFailure(.missing, "there is no wallet `\(name)`")
        }
        if options.json {
            JSONOutput.object { WalletOutput.write(wallet, to: &$0) }
        } else {
            WalletOutput.show(wallet)
        }
    }
}

extension StateOptions {
    /// The wallets of the state directory; a wrong configuration is told and then passed over.
    func wallets() throws -> [WalletOverview] {
        let state = try existing()
        var entries: [Configuration.WalletEntry] = []
        if state.hasConfiguration {
            do {
                entries = try state.loadConfiguration().wallets
            } catch {
                Console.note("\(error)")
            }
        }
        return try WalletAdministration(state: state, random: SystemSources.random).overview(entries)
    }
}
