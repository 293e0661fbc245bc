import Wallets

/// Makes a state directory that a daemon can serve.
package struct StateInitialization: Sendable {
    /// What was done.
    package struct Report: Sendable {
        /// Whether the configuration was written; it stays where it exists.
        package let wroteConfiguration: Bool
        /// The wallet that was made; nil where there was one.
        package let wallet: WalletOverview?
        /// The file a fresh passphrase was written to; nil where one was given or existed.
        package let passphraseFile: String?
    }

    private static let wallet = "main"
    private static let passphraseFile = "main.pass"

    private let state: StateDirectory
    private let wallets: WalletAdministration

    /// Works on a state directory.
    package init(state: StateDirectory, wallets: WalletAdministration) {
        self.state = state
        self.wallets = wallets
    }

    /// Makes what is missing and leaves the rest alone, so that it may be run again.
    ///
    /// `passphrase` is what the configuration will name, a file by its absolute path; nil makes a fresh one in
    /// `main.pass`.
    package func run(passphrase: Configuration.Passphrase?, isLight: Bool) throws -> Report {
        try state.create()
        try SpoolFolder.prepare(state.spoolFolder)
        let writesConfiguration = !state.hasConfiguration
        if writesConfiguration {
            try state.writeConfiguration(Self.configuration(passphrase: passphrase))
        }
        guard !FileSystem.exists(wallets.path(of: Self.wallet)) else {
            return Report(wroteConfiguration: writesConfiguration, wallet: nil, passphraseFile: nil)
        }
        var fresh: String?
        if passphrase == nil, !FileSystem.exists(state.path(Self.passphraseFile)) {
            try wallets.makePassphrase(file: Self.passphraseFile)
            fresh = state.path(Self.passphraseFile)
        }
        let source = (passphrase ?? .file(Self.passphraseFile)).source(path: state.path)
        let wallet = try wallets.make(Self.wallet, from: .freshKey, passphrase: source, isLight: isLight)
        return Report(wroteConfiguration: writesConfiguration, wallet: wallet, passphraseFile: fresh)
    }

    /// The example, with another passphrase where one was given.
    private static func configuration(passphrase: Configuration.Passphrase?) -> String {
        let (key, value): (String, String)
        switch passphrase {
        case nil: return Configuration.example
        case .file(let path): (key, value) = ("passphrase-file", path)
        case .credential(let name): (key, value) = ("passphrase-credential", name)
        }
        // Single quotes keep everything as it is but themselves, which are doubled (YAML 1.2 section 7.3.2).
        let quoted = "'\(value.replacing("'", with: "''"))'"
        return Configuration.example.replacing("passphrase-file: \(passphraseFile)", with: "\(key): \(quoted)")
    }
}
