/// Why nothing can be concluded about the chain.
package enum ChainError: Error, Sendable, Equatable {
    /// There is no endpoint, or there are more than are asked at once.
    case endpointCount(limit: Int)
    /// Two endpoints have the same host, or on loopback the same port: they would only agree with themselves.
    case repeatedEndpoint(String)
    /// The number of confirmations is out of range.
    case finality
    /// More probes than one reading takes.
    case tooManyProbes(limit: Int)
    /// Fewer endpoints than needed gave an answer that counts.
    case tooFewAnswers(count: Int, needed: Int, faults: [EndpointFault])
    /// Endpoints disagree about a block or what is in it; each camp holds the names of those that say the same.
    case disagreement(block: UInt64, camps: [[String]])
    /// Endpoints disagree about an account's next transaction; each camp holds a number and the names of those that say it.
    case differentNumbers([Camp])
    /// The endpoints agree on a block that cannot have followed the one they agreed on before.
    case implausible(block: UInt64, after: UInt64, rate: UInt64)
    /// The final block that endpoints once agreed on is forgotten, since so many readings in a row contradicted it.
    indirect case forgotten(block: UInt64, readings: Int, cause: ChainError)
    /// The task was cancelled.
    case cancelled

    /// Endpoints that name the same number.
    package struct Camp: Sendable, Equatable {
        /// The number.
        package let number: UInt64
        /// The endpoints' names.
        package let names: [String]
    }
}

extension ChainError: CustomStringConvertible {
    /// One sentence, which names endpoints by their hosts and never by more of their URLs.
    package var description: String {
        switch self {
        case .endpointCount(let limit): "A chain has 1 to \(limit) endpoints."
        case .repeatedEndpoint(let name):
            "The chain endpoint \(name) stands twice: a host agrees only with itself, under whatever port or spelling."
        case .finality: "A block is final after 1 to 10000 confirmations."
        case .tooManyProbes(let limit): "One reading of the chain takes at most \(limit) authorizations."
        case .tooFewAnswers(let count, let needed, let faults):
            "Only \(count) chain endpoints gave an answer that counts where \(needed) are needed: "
                + faults.map(\.description).joined(separator: "; ") + "."
        case .disagreement(let block, let camps):
            "Chain endpoints disagree about block \(block), so that nothing is concluded: "
                + camps.map { $0.joined(separator: " and ") }.joined(separator: " against ") + "."
        case .differentNumbers(let camps):
            "Chain endpoints disagree about the number of the account's next transaction, so that nothing is signed: "
                + camps.map {
                    "\($0.names.joined(separator: " and ")) \($0.names.count == 1 ? "says" : "say") \($0.number)"
                }
                .joined(separator: ", ") + "."
        case .implausible(let block, let earlier, let rate):
            "The chain endpoints call block \(block) final, which cannot follow block \(earlier), where they were before: "
                + "a chain makes at most \(rate) blocks a second (`blocks-per-second`)."
        case .forgotten(let block, let readings, let cause):
            "Final block \(block), on which the chain endpoints once agreed, is forgotten: \(readings) readings in a row "
                + "contradicted it. The last one: \(cause)"
        case .cancelled: "The reading of the chain was cancelled."
        }
    }
}
