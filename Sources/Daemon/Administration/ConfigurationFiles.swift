/// The files that a configuration names.
package enum ConfigurationFiles {
    /// One line for each file that cannot be read as it is, in the configuration's order.
    package static func problems(of configuration: Configuration, state: StateDirectory) -> [String] {
        var files: [(key: String, path: String)] = []
        for gateway in configuration.gateways {
            if let credential = gateway.credential {
                files.append(("gateways.\(gateway.name).credential.file", credential.file))
            }
        }
        for wallet in configuration.wallets {
            files.append(("wallets.\(wallet.name).keystore", wallet.keystore))
            if case .file(let path) = wallet.passphrase {
                files.append(("wallets.\(wallet.name).passphrase-file", path))
            }
        }
        if let trust = configuration.trustFile { files.append(("trust-file", trust)) }
        return files.compactMap { key, path in
            let path = state.path(path)
            guard !FileSystem.isReadable(path) else { return nil }
            return FileSystem.exists(path) ? "\(key): \(path) cannot be read" : "\(key): there is no \(path)"
        }
    }
}
