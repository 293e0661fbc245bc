import ArgumentParser
import Wallets

/// Where a passphrase comes from; without an option a person is asked.
struct PassphraseOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Read the passphrase from a file that only you can read.", valueName: "file"))
    var passphraseFile: String?

    @Option(help: ArgumentHelp("Read the passphrase from an open file descriptor.", valueName: "n"))
    var passphraseFd: Int32?

    func validate() throws {
        if passphraseFile != nil, passphraseFd != nil {
            throw ValidationError("Use either --passphrase-file or --passphrase-fd.")
        }
        if let passphraseFd, passphraseFd < 0 { throw ValidationError("A file descriptor is not negative.") }
    }

    /// The source; `confirm` asks a person twice, for a passphrase that is new.
    func source(confirm: Bool) throws -> PassphraseSource {
        if let passphraseFile { return .file(path: try Path.absolute(passphraseFile)) }
        if let passphraseFd { return .fileDescriptor(passphraseFd) }
        return .terminalPrompt(confirm: confirm)
    }
}
