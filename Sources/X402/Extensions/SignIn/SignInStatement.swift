package import Ethereum
package import Primitives

/// Why a wallet does not sign in.
package enum SignInProblem: Error, Sendable, Equatable {
    /// A member is missing, of the wrong type, too long, or not one line of printable ASCII.
    case unreadable(String)
    /// The domain is not the host that answered.
    case foreignDomain
    /// The address to sign in to is not of the origin that answered.
    case foreignURI
    /// No chain that is known here takes signatures of EIP-191.
    case noKnownChain
    /// The request is older than ``SignInStatement/maximumAge``, or issued further ahead than clocks differ.
    case notCurrent
    /// The statement would have expired already.
    case expired
    /// The statement would not hold yet.
    case notYetValid
    /// The message is longer than ``SignInStatement/maximumBytes``.
    case tooLong
}

/// A statement that a wallet may sign to sign in at the very origin that asked for it: nothing else fits into it.
///
/// Only ``SignInChallenge/statement(for:answeredBy:networks:at:)`` makes one. It is signed as a personal message, whose
/// digest can never be that of a payment or a transaction.
package struct SignInStatement: Sendable, Equatable {
    /// The age in seconds at which servers stop to accept a request.
    package static let maximumAge: Int64 = 300
    /// How far in seconds the seller's clock may be ahead of ours.
    package static let clockTolerance: Int64 = 60
    /// The longest message that is signed, in bytes.
    package static let maximumBytes = 4096
    /// The message that is signed.
    package let message: PersonalMessage
    /// The account that signs.
    package let address: Address
    /// The network whose account it is, in CAIP-2.
    package let network: String
    private let challenge: SignInChallenge

    /// Writes the statement out; the caller has checked it.
    fileprivate init(_ challenge: SignInChallenge, address: Address, network: String, reference: String) {
        self.challenge = challenge
        self.address = address
        self.network = network
        // Without a statement its empty line stays, as the libraries of EIP-4361 have it.
        var lines = [
            "\(challenge.domain) wants you to sign in with your Ethereum account:", address.checksummed, "",
        ]
        if let statement = challenge.statement { lines.append(statement) }
        lines += [
            "", "URI: \(challenge.uri)", "Version: 1", "Chain ID: \(reference)", "Nonce: \(challenge.nonce)",
            "Issued At: \(challenge.issuedAt.text)",
        ]
        if let time = challenge.expirationTime { lines.append("Expiration Time: \(time.text)") }
        if let time = challenge.notBefore { lines.append("Not Before: \(time.text)") }
        if let id = challenge.requestID { lines.append("Request ID: \(id)") }
        if !challenge.resources.isEmpty { lines.append("Resources:") }
        lines += challenge.resources.map { "- \($0)" }
        message = PersonalMessage(lines.joined(separator: "\n"))
    }

    /// The header for a signature over ``message``, `sign-in-with-x`: JSON with times and optional members as received.
    package func header(signature: Signature) -> PaymentHeader {
        var text = JSONText()
        text.object { answer in
            answer.field("domain", challenge.domain)
            answer.field("address", address.checksummed)
            answer.field("uri", challenge.uri)
            answer.field("version", "1")
            answer.field("chainId", network)
            answer.field("type", "eip191")
            answer.field("nonce", challenge.nonce)
            answer.field("issuedAt", challenge.issuedAt.text)
            answer.field("statement", optional: challenge.statement)
            answer.field("expirationTime", optional: challenge.expirationTime?.text)
            answer.field("notBefore", optional: challenge.notBefore?.text)
            answer.field("requestId", optional: challenge.requestID)
            if !challenge.resources.isEmpty {
                answer.array("resources") { array in
                    for resource in challenge.resources { array.element(resource) }
                }
            }
            answer.field("signature", signature.hex)
        }
        return PaymentHeader(name: "sign-in-with-x", value: Base64.encode(text.bytes))
    }
}

extension SignInChallenge {
    /// Checks the request against who asked and when, and writes out what is to be signed.
    ///
    /// `origin` is that of the final address of the 402 answer, `networks` those in CAIP-2 whose accounts are ours.
    package func statement(
        for address: Address, answeredBy origin: WebOrigin, networks: Set<String>, at now: Timestamp
    ) throws(SignInProblem) -> SignInStatement {
        guard WebOrigin(scheme: origin.scheme, authority: domain) == origin else { throw .foreignDomain }
        guard WebOrigin(url: uri) == origin else { throw .foreignURI }
        guard issuedAt.time >= now.adding(seconds: -SignInStatement.maximumAge),
            issuedAt.time <= now.adding(seconds: SignInStatement.clockTolerance)
        else { throw .notCurrent }
        if let end = expirationTime?.time, end <= now { throw .expired }
        if let begin = notBefore?.time, begin > now { throw .notYetValid }
        guard let network = chains.first(where: networks.contains), let reference = Self.reference(of: network) else {
            throw .noKnownChain
        }
        let statement = SignInStatement(self, address: address, network: network, reference: reference)
        guard statement.message.text.utf8.count <= SignInStatement.maximumBytes else { throw .tooLong }
        return statement
    }
}
