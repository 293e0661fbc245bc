import ArgumentParser
import Daemon
import Primitives

/// The command `purser init`.
struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a state directory: config.yaml and a wallet named main.",
        discussion: "What exists already stays as it is, so the command may be run again.")

    @Option(
        help: ArgumentHelp(
            "Take the wallet's passphrase from this file (default: a random one is written to main.pass).",
            valueName: "file"))
    var passphraseFile: String?

    @Option(
        help: ArgumentHelp("Take the wallet's passphrase from this credential of systemd.", valueName: "name"))
    var passphraseCredential: String?

    @Flag(help: "Derive the wallet's key with 4 MiB of memory instead of 256: faster, and weaker against guessing.")
    var light = false

    @OptionGroup var options: StateOptions

    func validate() throws {
        if passphraseFile != nil, passphraseCredential != nil {
            throw ValidationError("Use either --passphrase-file or --passphrase-credential.")
        }
    }

    func run() async throws {
        let state = try options.directory()
        let wallets = WalletAdministration(state: state, random: SystemSources.random)
        let report = try StateInitialization(state: state, wallets: wallets)
            .run(passphrase: try passphrase, isLight: light)
        if options.json {
            JSONOutput.object { text in
                text.field("state", state.root)
                text.field("config", state.configurationFile)
                text.field("wrote_config", report.wroteConfiguration)
                text.field("address", optional: report.wallet?.address)
                text.field("passphrase_file", optional: report.passphraseFile)
            }
        } else {
            tell(report, state: state)
        }
    }

    private var passphrase: Configuration.Passphrase? {
        get throws {
            if let passphraseFile { return .file(try Path.absolute(passphraseFile)) }
            return passphraseCredential.map(Configuration.Passphrase.credential)
        }
    }

    private func tell(_ report: StateInitialization.Report, state: StateDirectory) {
        let place = options.folder == nil ? "" : " \(state.option)"
        Console.print(
            report.wroteConfiguration
                ? "Wrote \(state.configurationFile)." : "Kept \(state.configurationFile) as it is.")
        if let wallet = report.wallet {
            Console.print("Made wallet main: \(wallet.address ?? "-"), keystore \(wallet.path).")
        } else {
            Console.print("Kept wallet main as it is.")
        }
        if let file = report.passphraseFile {
            Console.print("Its passphrase is random and stands in \(file), which only you can read.")
            Console.print("Whoever has both files has the money: back them up, apart from each other.")
        }
        Console.print("")
        Console.print("Next:")
        Console.print("  1. name your gateways in \(state.configurationFile)")
        Console.print("  2. purser config check\(place)")
        Console.print("  3. send the wallet some USDT on Arbitrum One; it needs no ETH, the seller pays the gas")
        Console.print("  4. purser agent add scout --cap request=0.10 --cap day=5 --cap lifetime=100\(place)")
        Console.print("  5. purser serve\(place)")
    }
}
