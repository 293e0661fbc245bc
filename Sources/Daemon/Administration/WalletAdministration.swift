import Ethereum
import Policy
package import Primitives
import SystemCrypto
package import Wallets

/// Why a wallet could not be made.
package enum WalletAdministrationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The text cannot name a wallet.
    case badName(String)
    /// The source of a raw key holds no private key of the curve.
    case notAKey

    /// A sentence for an operator.
    package var description: String {
        switch self {
        case .badName(let name):
            "`\(name)` cannot name a wallet: 1 to 64 of a-z, 0-9, `.`, `_`, `-`, a letter or digit first"
        case .notAKey: "this is no private key of secp256k1"
        }
    }
}

/// What an operator does to the wallets of a state directory.
package struct WalletAdministration: Sendable {
    /// What a new wallet is made from.
    package enum Origin: Sendable {
        /// A key that nobody has seen.
        case freshKey
        /// A raw private key of 64 hex digits in a file.
        case keyFile(String)
        /// A version 3 keystore, copied after it was opened, with the address that it opens.
        case keystoreFile(String)
    }

    private let state: StateDirectory
    private let random: any RandomSource

    /// Works on a state directory.
    package init(state: StateDirectory, random: any RandomSource) {
        self.state = state
        self.random = random
    }

    /// The path of a wallet's keystore.
    package func path(of name: String) -> String { "\(state.walletsFolder)/\(name).json" }

    /// Makes `wallets/NAME.json` and returns what it is; an existing wallet is never replaced.
    ///
    /// Blocks for two or three key derivations: seconds, unless `isLight`. Throws ``WalletAdministrationError`` and
    /// what the keystore, its file or the passphrase's source throw.
    package func make(
        _ name: String, from origin: Origin, passphrase: PassphraseSource, isLight: Bool
    ) throws -> WalletOverview {
        guard NameRule.isName(name) else { throw WalletAdministrationError.badName(name) }
        try state.create()
        let path = path(of: name)
        // Asked before the passphrase is: nobody should type one in vain. Creating the file decides.
        guard !FileSystem.exists(path) else { throw WalletFileError.exists(path: path) }
        let context = try Secp256k1Context(seed: random.bytes32())
        let keystore: KeystoreV3
        switch origin {
        case .freshKey:
            let secret = try passphrase.read(prompt: "Passphrase for wallet \(name)")
            let key = try SigningKey.generate(context: context)
            keystore = try Self.seal(key, passphrase: secret, isLight: isLight, random: random, context: context)
        case .keyFile(let file):
            let text = try PassphraseSource.file(path: file).read()
            let key: SigningKey
            do {
                key = try SigningKey(secret: PrivateKeyText.decode(text), context: context)
            } catch is SigningError {
                throw WalletAdministrationError.notAKey
            }
            let secret = try passphrase.read(prompt: "Passphrase for wallet \(name)")
            keystore = try Self.seal(key, passphrase: secret, isLight: isLight, random: random, context: context)
        case .keystoreFile(let file):
            let found = try WalletFile.read(path: file)
            let secret = try passphrase.read(prompt: "Passphrase of \(file)")
            keystore = found.stating(try found.open(passphrase: secret, context: context).address)
        }
        try WalletFile.create(keystore, at: path)
        return WalletOverview(name: name, path: path, content: .success(keystore))
    }

    private static func seal(
        _ key: SigningKey, passphrase: SecretBytes, isLight: Bool, random: some RandomSource,
        context: Secp256k1Context
    ) throws(KeystoreError) -> KeystoreV3 {
        try KeystoreV3(
            sealing: key, passphrase: passphrase, cost: isLight ? .light : .standard, random: random, context: context)
    }

    /// Writes a random passphrase to a new file of the state directory.
    package func makePassphrase(file: String) throws {
        try state.writeSecret(Hex.encode(random.bytes32().bytes.prefix(24)), name: file)
    }

    /// The wallets of the configuration, then what else lies in `wallets`.
    package func overview(_ entries: [Configuration.WalletEntry]) throws(WalletFileError) -> [WalletOverview] {
        var lines = entries.map { entry in
            let path = state.path(entry.keystore)
            let content = Result { () throws(WalletFileError) in try WalletFile.read(path: path) }
            return WalletOverview(name: entry.name, path: path, content: content, entry: entry)
        }
        guard FileSystem.exists(state.walletsFolder) else { return lines }
        let known = Set(lines.map(\.path))
        for file in try WalletFile.list(folder: state.walletsFolder) where !known.contains(file.path) {
            lines.append(WalletOverview(name: file.name, path: file.path, content: file.content))
        }
        return lines
    }
}

/// A wallet as operators see it, without its passphrase.
package struct WalletOverview: Sendable {
    /// Its name in the configuration, or its file's.
    package let name: String
    /// Where the keystore is.
    package let path: String
    /// The account its keystore states, EIP-55; nil when it states none or cannot be read.
    package let address: String?
    /// How the passphrase becomes a key, such as `scrypt n=262144 r=8 p=1`.
    package let derivation: String?
    /// Why the keystore cannot be read.
    package let problem: String?
    /// The wallet's `pay` list; nil when the configuration does not have it.
    package let pay: [String]?

    init(
        name: String, path: String, content: Result<KeystoreV3, WalletFileError>,
        entry: Configuration.WalletEntry? = nil
    ) {
        self.name = name
        self.path = path
        pay = entry.map { $0.pay.map(\.description) }
        switch content {
        case .success(let keystore):
            address = keystore.address?.checksummed
            derivation =
                switch keystore.derivation {
                case .scrypt(let cost, _): "scrypt n=\(cost.n) r=\(cost.r) p=\(cost.p)"
                case .pbkdf2(let iterations, _): "pbkdf2 c=\(iterations)"
                }
            problem = nil
        case .failure(let error):
            address = nil
            derivation = nil
            problem = error.description
        }
    }
}
