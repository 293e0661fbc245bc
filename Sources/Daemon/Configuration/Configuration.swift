package import Chain
package import Ethereum
package import Ledger
package import Logging
package import Payments
package import Policy
package import Primitives
package import Proxy
package import Transport

/// What `config.yaml` says, checked but not yet acted on: no file it names was opened, no name was resolved.
///
/// Paths stand as they were written; ``StateDirectory/path(_:)`` makes them absolute.
package struct Configuration: Sendable {
    /// An address to listen at.
    package struct Listen: Sendable, Hashable, CustomStringConvertible {
        /// An IP literal without brackets, or `localhost`.
        package let host: String
        /// 0 to 65535, where 0 stands for any free port.
        package let port: Int

        /// Makes a place to listen at.
        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        /// `host:port` as the file writes it.
        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// The key a gateway wants to see.
    package struct Credential: Sendable, Hashable {
        /// The file that holds the key.
        package let file: String
        /// Which field carries it.
        package let field: Gateway.Credential.Field
        /// Methods whose requests carry it.
        package let methods: Set<String>

        /// Makes a credential.
        package init(
            file: String, field: Gateway.Credential.Field, methods: Set<String> = Gateway.Credential.usualMethods
        ) {
            self.file = file
            self.field = field
            self.methods = methods
        }
    }

    /// What becomes of a gateway's unproven payments when their window has passed.
    ///
    /// Raw values are the configuration's words.
    package enum Unproven: String, Sendable, CaseIterable {
        /// They stay counted: presumed settled, or open until the chain says what became of them.
        case hold
        /// They stop counting without proof, so that caps are not proven for the gateway.
        case releaseAtExpiry = "release-at-expiry"
    }

    /// One entry of `gateways`.
    package struct GatewayEntry: Sendable, Equatable {
        /// The first path segment of requests for it.
        package let name: String
        /// Where its connections go.
        package let origin: Origin
        /// What its URL has behind the origin: empty, or a slash and more without a slash at the end.
        package let basePath: String
        /// Path prefixes that reach it without its name, each with a slash at both ends.
        package let paths: [String]
        /// Its own key.
        package let credential: Credential?
        /// Hosts that its redirects may point at, lower case, without ports.
        package let redirectHosts: Set<String>
        /// How long to wait for what.
        package let timeouts: Gateway.Timeouts
        /// How much it is sent.
        package let limits: Gateway.Limits
        /// How far it is trusted with signed payments.
        package let policy: GatewayPolicy
        /// Copies of the documents in which the keys of its signers stand.
        package let signerDocuments: [SignerDocument]
        /// What becomes of its unproven payments.
        package let unproven: Unproven
        /// How it takes its money.
        package let billing: Gateway.Billing
        /// For whom a payment may go with the first request.
        package let learnedPrice: Gateway.LearnedPriceUse
        /// Whether HTTP/2 is spoken where its TLS offers it.
        package let allowsHTTP2: Bool
        /// Whether requests may switch to another protocol.
        package let allowsUpgrades: Bool

        /// Origin and base path together.
        package var url: String { origin.description + basePath }
    }

    /// A copy of a `did:web` document, which is read when the daemon starts and at each reload, and never fetched.
    package struct SignerDocument: Sendable, Equatable {
        /// The identifier whose keys it holds.
        package let identifier: String
        /// The copy's file.
        package let file: String
        /// What SHA-256 of the file has to be; nil where any is fine.
        package let digest: Bytes32?
    }

    /// One entry of `chains`: a network of which unproven payments' fate is read.
    package struct ChainEntry: Sendable, Equatable {
        /// The CAIP-2 network.
        package let network: String
        /// The number behind `eip155:`.
        package let chainID: UInt64
        /// Where blocks are read from; no two have the same host.
        package let endpoints: [ChainEndpoint]
        /// Endpoints that are never asked, since one in ``endpoints`` has the same host.
        package var redundant: [ChainEndpoint] = []
        /// How many of them have to say the same.
        package let agreement: ChainAgreement
        /// The most blocks that the chain makes in a second.
        package let blocksPerSecond: UInt64
        /// Which blocks are final.
        package let finality: ChainFinality
        /// Spenders besides Permit2 that `wallet approve` may give allowances to.
        package let spenders: Set<Address>
    }

    /// Where a wallet's passphrase is read from when the daemon starts.
    package enum Passphrase: Sendable, Hashable {
        /// A file that only its owner can read.
        case file(String)
        /// A credential of systemd, by name.
        case credential(String)
    }

    /// One entry of `wallets`.
    package struct WalletEntry: Sendable, Equatable {
        /// The name agents are bound to.
        package let name: String
        /// The file of the encrypted key.
        package let keystore: String
        /// What opens it.
        package let passphrase: Passphrase
        /// What it may pay, in order of preference; empty pays nothing.
        package let pay: [PayRule]
        /// The tokens for which a seller's facilitator may be given an approval of Permit2 without a limit.
        package let sponsoredApprovals: [PayRule]
    }

    /// What agents may reach through the forward proxy besides the gateways.
    package struct Forward: Sendable, Equatable {
        /// Hosts, by whose list it is.
        package var hosts: [ForwardRules.Scope: [HostPattern]] = [:]
        /// Addresses that may be dialled although they are not public.
        package var addresses: [AddressRange] = []
        /// Hosts whose TLS is ended here.
        package var terminate: [HostPattern] = []

        /// The same as the proxy takes it.
        package var rules: ForwardRules {
            ForwardRules(hosts: hosts, addresses: AddressGuard(allowed: addresses))
        }
    }

    /// How much of request bodies is kept for the paid repetition, in bytes.
    package struct Replay: Sendable, Equatable {
        /// Kept in memory for one request; what is longer goes on in a file.
        package var memory: Int
        /// Kept at all for one request.
        package var perRequest: Int
        /// Kept in memory for all requests together.
        package var total: Int

        /// 1 MiB, 64 MiB and 256 MiB.
        package static let standard = Replay(memory: 1 << 20, perRequest: 64 << 20, total: 256 << 20)

        /// Makes sizes.
        package init(memory: Int, perRequest: Int, total: Int) {
            self.memory = memory
            self.perRequest = perRequest
            self.total = total
        }
    }

    /// Where long request bodies are kept, and how much of them.
    package struct Spool: Sendable, Equatable {
        /// Bytes of all agents together.
        package var total = 4 << 30
        /// The folder; nil for the one in the state directory.
        package var path: String?

        /// 4 GiB, in the state directory.
        package static let standard = Spool()
        /// The least total: one long body of the usual length has to fit into an agent's share.
        static let least = 1 << 20
    }

    /// Where agents connect to, in the file's order; no two are the same.
    package var listen: [Listener]
    /// Which agents they are that connect without a token to a Unix socket, or with a certificate.
    package var peers: PeerAgents
    /// How many connections agents may have.
    package var connections: ConnectionLimits
    /// Further names by which agents may address the proxy: `host` or `host:port`, lower case.
    package var hosts: [String]
    /// The gateways in the file's order; names are unique and prefixes do not overlap.
    package var gateways: [GatewayEntry]
    /// The wallets in the file's order; names are unique.
    package var wallets: [WalletEntry]
    /// The pinned table with the operator's rows added.
    package var assets: AssetTable
    /// Whether the operator says that payments are decided without a policy.
    package var policyIsNone: Bool
    /// The chains that are read, in the file's order; networks are unique.
    package var chains: [ChainEntry]
    /// What agents may reach through the forward proxy.
    package var forward: Forward
    /// Where metrics are shown; nil for nowhere.
    package var metrics: Listen?
    /// Certificates (PEM) that are trusted besides the system's.
    package var trustFile: String?
    /// How much of request bodies is kept.
    package var replay: Replay
    /// How much of paid answers is kept for repetitions of their requests.
    package var keptAnswers = KeptAnswerLimits.standard
    /// Where long request bodies are kept.
    package var spool = Spool.standard
    /// How many learned prices, and waits for a turn to send an approval, all agents may have together.
    package var paymentPots = PaymentPots.standard
    /// The least severe log records that are written.
    package var logLevel: Logger.Level

    /// Where the daemon listens unless it is told otherwise.
    package static let standardListeners = [Listener.address(Listen(host: "127.0.0.1", port: 4020))]
}

extension Configuration {
    /// What becomes of unproven payments whose window has passed.
    package var overduePolicy: OverduePolicy {
        OverduePolicy(margin: 60, lapsing: Set(unprovenGateways), proven: Set(chains.map(\.network)))
    }

    /// The gateways whose unproven payments stop counting without proof, by name: caps are not proven for them.
    package var unprovenGateways: [String] {
        gateways.filter { $0.unproven == .releaseAtExpiry }.map(\.name)
    }
}
