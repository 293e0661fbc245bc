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
    private static let passphrase = "main.pass"

    private let state: StateDirectory
    private let wallets: WalletAdministration

    /// Works on a state directory.
    package init(state: StateDirectory, wallets: WalletAdministration) {
        self.state = state
        self.wallets = wallets
    }

    /// Makes what is missing and leaves the rest alone, so that it may be run again.
    ///
    /// `passphraseFile` is an absolute path that the configuration will name, or nil for a fresh passphrase in
    /// `main.pass`.
    package func run(passphraseFile: String?, isLight: Bool) throws -> Report {
        try state.create()
        try state.prepareSpool()
        let writesConfiguration = !state.hasConfiguration
        if writesConfiguration {
            try state.writeConfiguration(Self.configuration(passphraseFile: passphraseFile))
        }
        guard !FileSystem.exists(wallets.path(of: Self.wallet)) else {
            return Report(wroteConfiguration: writesConfiguration, wallet: nil, passphraseFile: nil)
        }
        var fresh: String?
        if passphraseFile == nil, !FileSystem.exists(state.path(Self.passphrase)) {
            try wallets.makePassphrase(file: Self.passphrase)
            fresh = state.path(Self.passphrase)
        }
        let source = PassphraseSource.file(path: passphraseFile ?? state.path(Self.passphrase))
        let wallet = try wallets.make(Self.wallet, from: .freshKey, passphrase: source, isLight: isLight)
        return Report(wroteConfiguration: writesConfiguration, wallet: wallet, passphraseFile: fresh)
    }

    /// The example, with another passphrase file where one was given.
    private static func configuration(passphraseFile: String?) -> String {
        guard let passphraseFile else { return Configuration.example }
        // Single quotes keep everything as it is but themselves, which are doubled (YAML 1.2 section 7.3.2).
        let quoted = "'\(passphraseFile.replacing("'", with: "''"))'"
        return Configuration.example.replacing("passphrase-file: \(passphrase)", with: "passphrase-file: \(quoted)")
    }
}
