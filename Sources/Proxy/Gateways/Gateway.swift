package import NIOCore
package import Payments
package import SystemCrypto
package import Transport

/// A configured upstream: where requests go, as whom, and how long they may take.
package struct Gateway: Sendable {
    /// How long to wait for what.
    package struct Timeouts: Sendable, Equatable {
        /// For a connection, TLS included.
        package var connect: TimeAmount
        /// For the first byte of the answer.
        ///
        /// nil: ten minutes, and on a paid request at least the seller's own window
        /// and half a minute.
        package var firstByte: TimeAmount?
        /// Between two pieces of the answer.
        package var idle: TimeAmount
        /// For the whole exchange, from the request's head to the end of the answer; nil for as long as it takes.
        package var total: TimeAmount?

        /// The defaults: what the common client libraries assume.
        package static let standard = Timeouts(connect: .seconds(10), firstByte: nil, idle: .minutes(10))

        /// Makes time-outs.
        package init(connect: TimeAmount, firstByte: TimeAmount?, idle: TimeAmount, total: TimeAmount? = nil) {
            self.connect = connect
            self.firstByte = firstByte
            self.idle = idle
            self.total = total
        }

        /// How long the first byte may take; `window` is the seller's window in seconds on a paid request.
        func firstByte(paidWithin window: Int64?) -> TimeAmount {
            if let firstByte { return firstByte }
            let usual = TimeAmount.minutes(10)
            guard let window else { return usual }
            return max(usual, .seconds(min(window, 86_400) + 30))
        }
    }

    /// How much it is sent; nil is no limit of its own.
    package struct Limits: Sendable, Equatable {
        /// Connections in use at once, on all loops together; further requests wait for their turn.
        package var connections: Int?
        /// Bytes of a request's body, chunk lines included.
        package var requestBody: Int?
        /// HTTP/1.1 connections that are kept idle for later requests of their agents, on all loops together.
        package var idleConnections: Int
        /// The same where only so many may be in use: a server that takes few connections is not held more idle ones.
        var keptConnections: Int { min(idleConnections, connections ?? .max) }

        /// No limits of its own.
        package static let none = Limits()

        /// Makes limits.
        package init(
            connections: Int? = nil, requestBody: Int? = nil, idleConnections: Int = ConnectionUse.usualIdleLimit
        ) {
            self.connections = connections
            self.requestBody = requestBody
            self.idleConnections = idleConnections
        }
    }

    /// The gateway's own key: put on requests in place of the agent's token.
    package struct Credential: Sendable {
        /// Methods whose requests carry a key unless its configuration says otherwise.
        ///
        /// A server that answers with the request itself, as it may to TRACE, TRACK and DEBUG, would show it to the agent.
        package static let usualMethods: Set<String> = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

        /// Which field carries it.
        package enum Field: String, Sendable, CaseIterable {
            /// `Authorization: Bearer <key>`.
            case authorization
            /// `X-Api-Key: <key>`.
            case xAPIKey = "x-api-key"
        }

        /// Which field carries it.
        package let field: Field
        /// The key's bytes.
        package let secret: SecretBytes
        /// Methods whose requests carry it; others go without a key.
        package let methods: Set<String>

        /// Makes a credential.
        package init(field: Field, secret: SecretBytes, methods: Set<String> = Self.usualMethods) {
            self.field = field
            self.secret = secret
            self.methods = methods
        }

        /// Whether two gateways send the same key in the same field, or both none.
        static func areSame(_ one: Credential?, _ other: Credential?) -> Bool {
            guard let one, let other else { return one == nil && other == nil }
            return one.field == other.field && one.secret.hasSameBytes(as: other.secret)
        }
    }

    /// How the gateway takes its money.
    ///
    /// Raw values are the configuration's words.
    package enum Billing: String, Sendable, CaseIterable {
        /// By the challenges it answers with.
        case x402
        /// From a balance behind its key, so that every call is counted here before it is made.
        case prepaid

        /// Whether requests may switch protocols where the configuration does not say.
        package var usuallyAllowsUpgrades: Bool { self == .x402 }
    }

    /// For whom a payment may go with the first request on a route whose price is known.
    ///
    /// Raw values are the configuration's words.
    package enum LearnedPriceUse: String, Sendable, CaseIterable {
        /// For agents whose request says `Purser-Price: learned`.
        case asked
        /// For every agent.
        case always
        /// For nobody.
        case never
    }

    /// The gateway's name: the first path segment of requests for it.
    package let name: String
    /// Where its connections go.
    package let origin: Origin
    /// The same, as the operator's choice.
    let destination: Destination
    /// What its URL has behind the origin: empty, or a slash and more without a slash at the end.
    package let basePath: String
    /// Path prefixes that reach it without its name in front, each with a slash at both ends.
    package let paths: [String]
    /// Its own key.
    package let credential: Credential?
    /// Hosts that its redirects may point at, besides itself.
    package let redirectHosts: Set<String>
    /// How long to wait for what.
    package let timeouts: Timeouts
    /// How much it is sent.
    package let limits: Limits
    /// What its configuration says about paying it.
    package let policy: GatewayPolicy
    /// The part of its entry that learned prices depend on.
    package let terms: GatewayTerms
    /// How it takes its money.
    package let billing: Billing
    /// For whom a payment may go with the first request.
    package let learnedPrice: LearnedPriceUse
    /// Whether HTTP/2 is spoken where its TLS offers it.
    package let allowsHTTP2: Bool
    /// Whether requests may switch to another protocol: to any of an `x402` gateway, to WebSocket of a `prepaid` one.
    package let allowsUpgrades: Bool

    /// Makes a gateway.
    package init(
        name: String, origin: Origin, basePath: String, paths: [String], credential: Credential?,
        redirectHosts: Set<String>, timeouts: Timeouts, limits: Limits = .none, policy: GatewayPolicy = GatewayPolicy(),
        billing: Billing = .x402, learnedPrice: LearnedPriceUse = .asked, allowsHTTP2: Bool = true,
        allowsUpgrades: Bool? = nil
    ) {
        self.name = name
        self.origin = origin
        destination = Destination(origin, chosenBy: .gateway(name))
        self.basePath = basePath
        self.paths = paths
        self.credential = credential
        self.redirectHosts = redirectHosts
        self.timeouts = timeouts
        self.limits = limits
        self.policy = policy
        terms = GatewayTerms(
            site: SellerSite(
                origin: origin.description, basePath: basePath,
                credential: credential.map { SHA256.hash(of: $0.secret) }),
            policy: policy)
        self.billing = billing
        self.learnedPrice = learnedPrice
        self.allowsHTTP2 = allowsHTTP2
        self.allowsUpgrades = allowsUpgrades ?? billing.usuallyAllowsUpgrades
    }

    /// Whether requests go to the same place, with the same key, and are billed in the same way as those of another.
    func isSameAccount(as other: Gateway) -> Bool {
        origin == other.origin && basePath == other.basePath && billing == other.billing
            && Credential.areSame(credential, other.credential)
    }
}
