import Ethereum
import NIOCore
import NIOPosix
import Payments
import Primitives
import Proxy
import SystemCrypto
import Transport
import Wallets
import X402

/// Why a daemon could not be made from its configuration; the text names what to look at.
package struct StartFailure: Error, Sendable, CustomStringConvertible {
    /// One line for the operator.
    package let description: String

    /// Makes a failure.
    package init(_ description: String) {
        self.description = description
    }

    /// An address that could not be listened at, in the system's own words.
    init(listen: Configuration.Listen, error: IOError) {
        self.init("cannot listen on \(listen): \(FileSystem.message(error.errnoCode).lowercased())")
    }

    /// A place that could not be listened at.
    init(_ failure: ListenFailure) {
        let reason =
            switch failure.cause {
            case .system(let code): FileSystem.message(code).lowercased()
            case .notASocket: "a file with that name exists and is not a socket"
            case .taken: "another process is already listening there"
            case .tooLong: "the path is longer than the system allows for a socket"
            case .notListening: "it is no listening stream socket"
            }
        self.init("cannot listen on \(failure.place): \(reason)")
    }
}

/// Turns what the configuration names into what the daemon holds: open wallets and gateway keys.
enum Unlocking {
    /// Opens every wallet, and compares its account with the books; each takes as long as its key derivation, so they go
    /// to the thread pool.
    static func wallets(
        _ entries: [Configuration.WalletEntry], path: @escaping @Sendable (String) -> String,
        threads: NIOThreadPool, random: any RandomSource, recognition: WalletRecognition
    ) async throws -> [PayingWallet] {
        let context = try Secp256k1Context(seed: random.bytes32())
        var wallets: [PayingWallet] = []
        for entry in entries {
            let key = try await threads.runIfActive {
                try open(entry, path: path, context: context)
            }
            try await recognition.check(key.address, of: entry.name)
            wallets.append(
                PayingWallet(
                    name: entry.name, signer: key, rules: entry.pay, sponsoredApprovals: entry.sponsoredApprovals))
        }
        return wallets
    }

    /// Opens one wallet; takes as long as its key derivation.
    static func open(
        _ entry: Configuration.WalletEntry, path: (String) -> String, context: Secp256k1Context
    ) throws -> SigningKey {
        do {
            let keystore = try WalletFile.read(path: path(entry.keystore))
            return try keystore.open(passphrase: entry.passphrase.source(path: path).read(), context: context)
        } catch {
            throw StartFailure("wallet \(entry.name): \(error)")
        }
    }

    /// Makes a gateway with its own key.
    static func gateway(
        _ entry: Configuration.GatewayEntry, path: (String) -> String
    ) throws(StartFailure) -> Gateway {
        var credential: Gateway.Credential?
        do {
            credential = try entry.credential.map { try self.credential($0, path: path) }
        } catch {
            throw StartFailure("gateway \(entry.name): \(error)")
        }
        var policy = entry.policy
        for document in entry.signerDocuments {
            do {
                policy.signers.documents[document.identifier] = try signerDocument(document, path: path)
            } catch {
                throw StartFailure("gateway \(entry.name), signers: \(error)")
            }
        }
        return Gateway(
            name: entry.name, origin: entry.origin, basePath: entry.basePath, paths: entry.paths,
            credential: credential, redirectHosts: entry.redirectHosts, timeouts: entry.timeouts, limits: entry.limits,
            policy: policy, billing: entry.billing, learnedPrice: entry.learnedPrice,
            allowsHTTP2: entry.allowsHTTP2, allowsUpgrades: entry.allowsUpgrades)
    }
}

extension Configuration.Passphrase {
    /// Where it is read from; `path` makes paths absolute.
    func source(path: (String) -> String) -> PassphraseSource {
        switch self {
        case .file(let file): .file(path: path(file))
        case .credential(let name): .systemdCredential(name: name)
        }
    }
}

extension Unlocking {
    /// Reads a gateway's own key.
    ///
    /// Throws ``StartFailure`` for one that no header field can carry, and what the file's reader throws.
    static func credential(_ entry: Configuration.Credential, path: (String) -> String) throws -> Gateway.Credential {
        let file = path(entry.file)
        let credential = Gateway.Credential(
            field: entry.field, secret: try PassphraseSource.file(path: file).read(), methods: entry.methods)
        guard credential.isFieldValue else { throw StartFailure("\(file) holds no key that fits a header field") }
        return credential
    }

    /// Reads the pinned copy of a document: whoever can write to it can sign as the seller.
    ///
    /// Throws ``StartFailure`` for what is not that document, and ``StateDirectoryError``.
    static func signerDocument(
        _ entry: Configuration.SignerDocument, path: (String) -> String
    ) throws -> SellerDocument {
        let file = path(entry.file)
        let bytes = Array(try FileSystem.readText(file).utf8)
        let document: SellerDocument
        do {
            document = try SellerDocument(bytes, of: entry.identifier)
        } catch {
            throw StartFailure("\(file): \(error)")
        }
        if let digest = entry.digest, digest != document.digest {
            throw StartFailure(
                "\(file): its SHA-256 is \(Hex.encode(document.digest.bytes)), and `sha256` says "
                    + Hex.encode(digest.bytes))
        }
        return document
    }

    /// Reads the trust file as the daemon will: it can vouch for any gateway, so nobody else may write to it.
    ///
    /// Throws ``StateDirectoryError``, and what the certificates' reader throws.
    static func checkTrustFile(_ path: String) throws {
        try FileSystem.check(path)
        _ = try TLSClientContext(trustFile: path)
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
