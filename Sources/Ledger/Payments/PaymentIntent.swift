package import Primitives

/// Everything that is fixed when money is set aside: enough to rebuild the payment header byte for byte.
///
/// Signatures are deterministic (RFC 6979), so the stored fields and the wallet's key give the same header again.
package struct PaymentIntent: Sendable, Equatable {
    /// Who pays and what for.
    package struct Purpose: Sendable, Equatable {
        /// The agent's name.
        package let agent: String
        /// The team the agent is in; nil when it is in none.
        package var team: String?
        /// The gateway's name in the configuration.
        package let gateway: String
        /// The upstream host, lower case, without a port.
        package let host: String
        /// The request; nil once an operator has erased it.
        package let request: Request?
        /// SHA-256 of the policy that it was decided by; nil where there was none.
        package let policy: Bytes32?

        /// Makes a purpose.
        package init(
            agent: String, team: String?, gateway: String, host: String, request: Request?, policy: Bytes32? = nil
        ) {
            self.agent = agent
            self.team = team
            self.gateway = gateway
            self.host = host
            self.request = request
            self.policy = policy
        }
    }

    /// The HTTP request that is paid for, as far as the books keep it.
    package struct Request: Sendable, Equatable {
        /// The HTTP method.
        package let method: String
        /// The upstream URL without its query, for people; the fingerprint covers the whole.
        package let url: String
        /// The model that the request names, 1 to 128 printable characters.
        package let model: Fact<String>
        /// SHA-256 over agent, gateway, method, whole URL and body hash: equal requests have equal fingerprints.
        package let fingerprint: Bytes32

        /// Makes a request.
        package init(method: String, url: String, model: Fact<String>, fingerprint: Bytes32) {
            self.method = method
            self.url = url
            self.model = model
            self.fingerprint = fingerprint
        }
    }

    /// What is paid: the values that are signed, and the names people know them by.
    package struct Terms: Sendable, Equatable {
        /// The payment scheme, such as `exact` or `upto`.
        package let scheme: String
        /// The payment method within it, such as `exact-eip3009`: 1 to 40 characters of `a`–`z`, digits and hyphens.
        package let method: String
        /// The CAIP-2 network, `eip155:42161`.
        package let network: String
        /// The token contract, EIP-55.
        package let asset: String
        /// The token's symbol in the pinned table.
        package let symbol: String
        /// The token's decimals, 0 to 36.
        package let decimals: Int
        /// The wallet's name in the configuration.
        package let wallet: String
        /// The payer's address, EIP-55.
        package let payer: String
        /// The payee's address, EIP-55.
        package let payTo: String
        /// The signed amount in atomic units.
        package let amount: UInt256
        /// What the amount counts for in caps, rounded up.
        package let value: Dollars
        /// The authorization's nonce.
        package let nonce: Bytes32
        /// The first second at which the authorization is not yet valid (Unix seconds, exclusive on chain).
        package let validAfter: Int64
        /// The second from which the authorization is dead (Unix seconds, exclusive on chain).
        package let validBefore: Int64

        /// Makes terms.
        package init(
            scheme: String, method: String, network: String, asset: String, symbol: String, decimals: Int,
            wallet: String,
            payer: String, payTo: String, amount: UInt256, value: Dollars, nonce: Bytes32, validAfter: Int64,
            validBefore: Int64
        ) {
            self.scheme = scheme
            self.method = method
            self.network = network
            self.asset = asset
            self.symbol = symbol
            self.decimals = decimals
            self.wallet = wallet
            self.payer = payer
            self.payTo = payTo
            self.amount = amount
            self.value = value
            self.nonce = nonce
            self.validAfter = validAfter
            self.validBefore = validBefore
        }
    }

    /// The seller's own JSON that the header echoes.
    package struct Echo: Sendable, Equatable {
        /// The x402 version the seller spoke, 1 or 2.
        package let version: Int
        /// The chosen entry of `accepts` as received.
        package let accepted: [UInt8]
        /// The `resource` object as received, when there was one.
        package let resource: [UInt8]?
        /// The `extensions` object as it is echoed, when there was one.
        package let extensions: [UInt8]?
        /// The offer that the seller signed for the entry, as JSON text of at most 4 KiB; kept as proof, not echoed.
        package let offer: [UInt8]?

        /// Makes an echo.
        package init(
            version: Int, accepted: [UInt8], resource: [UInt8]?, extensions: [UInt8]?, offer: [UInt8]? = nil
        ) {
            self.version = version
            self.accepted = accepted
            self.resource = resource
            self.extensions = extensions
            self.offer = offer
        }
    }

    /// The payment's name.
    package let id: PaymentID
    /// Who pays and what for.
    package var purpose: Purpose
    /// What is paid.
    package let terms: Terms
    /// The seller's JSON that is echoed.
    package let echo: Echo
    /// 32 random bytes that keep the hash of what may be erased from being guessed.
    package let salt: Bytes32

    /// Makes an intent.
    package init(id: PaymentID, purpose: Purpose, terms: Terms, echo: Echo, salt: Bytes32) {
        self.id = id
        self.purpose = purpose
        self.terms = terms
        self.echo = echo
        self.salt = salt
    }
}

extension PaymentIntent {
    /// What its rejection would be counted by; nil once its request is erased.
    package var rejectedRoute: RejectedRoute? {
        purpose.request.map { RejectedRoute(asset: terms.assetName, request: $0) }
    }
}

extension PaymentIntent.Request {
    /// The path of the URL, at least a slash.
    package var path: String {
        // Byte by byte, since every payment asks: the marks are ASCII, so no cut is inside a character.
        let bytes = url.utf8
        var rest = bytes[...]
        while let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            rest = rest[bytes.index(after: colon)...]
            guard rest.starts(with: "//".utf8) else { continue }
            return rest.dropFirst(2).firstIndex(of: UInt8(ascii: "/")).map { String(url[$0...]) } ?? "/"
        }
        return url
    }
}
