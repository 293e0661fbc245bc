package import Ledger
package import Primitives
package import X402

/// The HTTP request that met a 402, as far as paying for it is concerned.
package struct PaymentRequest: Sendable {
    /// The caller.
    package let agent: Agent
    /// The gateway's name.
    package let gateway: String
    /// The HTTP method.
    package let method: String
    /// The upstream URL without its query, for people.
    package let url: String
    /// SHA-256 over agent, method, whole URL and body.
    package let fingerprint: Bytes32

    /// Makes a request.
    package init(agent: Agent, gateway: String, method: String, url: String, fingerprint: Bytes32) {
        self.agent = agent
        self.gateway = gateway
        self.method = method
        self.url = url
        self.fingerprint = fingerprint
    }

    var purpose: PaymentIntent.Purpose {
        PaymentIntent.Purpose(agent: agent.name, gateway: gateway, method: method, url: url, fingerprint: fingerprint)
    }
}

/// A signed payment that may leave the process: its reservation is on disk.
package struct AuthorizedPayment: Sendable {
    /// The payment's name in the books.
    package let id: PaymentID
    /// The header that carries it.
    ///
    /// It is money until `validBefore`: never log it.
    package let header: PaymentHeader
    /// What was signed.
    package let terms: PaymentIntent.Terms
    /// The 65 signature bytes, for the books.
    let signature: [UInt8]
    /// What the caps admit with this payment counted.
    package let usage: [CapUsage]
    /// The window the seller allows for its answer, in seconds.
    package let answerWithin: Int64
}
