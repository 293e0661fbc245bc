import Ethereum
import NIOPosix
import Payments
import Primitives
import Proxy
import SystemCrypto
import Wallets

/// Why a daemon could not be made from its configuration; the text names what to look at.
package struct StartFailure: Error, Sendable, CustomStringConvertible {
    /// One line for the operator.
    package let description: String

    /// Makes a failure.
    package init(_ description: String) {
        self.description = description
    }
}

/// Turns what the configuration names into what the daemon holds: open wallets and gateway keys.
enum Unlocking {
    /// Opens every wallet; each takes as long as its key derivation, so they go to the thread pool.
    static func wallets(
        _ entries: [Configuration.WalletEntry], path: @escaping @Sendable (String) -> String,
        threads: NIOThreadPool, random: any RandomSource
    ) async throws -> PayingWallets {
        let context = try Secp256k1Context(seed: random.bytes32())
        var wallets: [PayingWallet] = []
        for entry in entries {
            let key = try await threads.runIfActive {
                try open(entry, path: path, context: context)
            }
            wallets.append(PayingWallet(name: entry.name, signer: key, rules: entry.pay))
        }
        return PayingWallets(wallets)
    }

    private static func open(
        _ entry: Configuration.WalletEntry, path: (String) -> String, context: Secp256k1Context
    ) throws -> SigningKey {
        do {
            let keystore = try WalletFile.read(path: path(entry.keystore))
            let source: PassphraseSource =
                switch entry.passphrase {
                case .file(let file): .file(path: path(file))
                case .credential(let name): .systemdCredential(name: name)
                }
            return try keystore.open(passphrase: source.read(), context: context)
        } catch {
            throw StartFailure("wallet \(entry.name): \(error)")
        }
    }

    /// Reads a gateway's own key.
    static func gateway(
        _ entry: Configuration.GatewayEntry, path: (String) -> String
    ) throws(StartFailure) -> Gateway {
        var credential: Gateway.Credential?
        if let wanted = entry.credential {
            do {
                let secret = try PassphraseSource.file(path: path(wanted.file)).read()
                credential = Gateway.Credential(field: wanted.field, secret: secret)
            } catch {
                throw StartFailure("gateway \(entry.name): \(error)")
            }
            guard let credential, credential.isFieldValue else {
                throw StartFailure("gateway \(entry.name): \(wanted.file) holds no key that fits a header field")
            }
        }
        return Gateway(
            name: entry.name, origin: entry.origin, basePath: entry.basePath, paths: entry.paths,
            credential: credential, redirectHosts: entry.redirectHosts, timeouts: entry.timeouts)
    }
}

extension Gateway.Credential {
    /// Whether the key is visible ASCII, so that it cannot begin a header line of its own.
    fileprivate var isFieldValue: Bool {
        secret.withBytes { bytes in
            for index in bytes.indices where bytes[index] <= 0x20 || bytes[index] >= 0x7f { return false }
            return bytes.count > 0
        }
    }
}
