import ArgumentParser
import Wallets

/// Where a passphrase comes from; without an option a person is asked.
struct PassphraseOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Read the passphrase from a file that only you can read.", valueName: "file"))
    var passphraseFile: String?

    @Option(help: ArgumentHelp("Read the passphrase from an open file descriptor.", valueName: "n"))
    var passphraseFd: Int32?

    @Option(help: ArgumentHelp("Read the passphrase from a credential of systemd.", valueName: "name"))
    var passphraseCredential: String?

    func validate() throws {
        let named = [passphraseFile != nil, passphraseFd != nil, passphraseCredential != nil]
        guard named.count(where: { $0 }) <= 1 else {
            throw ValidationError("Use one of --passphrase-file, --passphrase-fd and --passphrase-credential.")
        }
        if let passphraseFd, passphraseFd < 0 { throw ValidationError("A file descriptor is not negative.") }
    }

    /// The source; `confirm` asks a person twice, for a passphrase that is new.
    func source(confirm: Bool) throws -> PassphraseSource {
        if let passphraseFile { return .file(path: try Path.absolute(passphraseFile)) }
        if let passphraseFd { return .fileDescriptor(passphraseFd) }
        if let passphraseCredential { return .systemdCredential(name: passphraseCredential) }
        return .terminalPrompt(confirm: confirm)
    }
}
