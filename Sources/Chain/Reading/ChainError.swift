/// Why nothing can be concluded about the chain.
package enum ChainError: Error, Sendable, Equatable {
    /// There is no endpoint, or there are more than are asked at once.
    case endpointCount(limit: Int)
    /// Two endpoints have the same host and port: they would only agree with themselves.
    case repeatedEndpoint(String)
    /// The number of confirmations is out of range.
    case finality
    /// More probes than one reading takes.
    case tooManyProbes(limit: Int)
    /// Fewer endpoints than needed gave an answer that counts.
    case tooFewAnswers(count: Int, needed: Int, faults: [EndpointFault])
    /// Endpoints disagree about a block or what is in it; each camp holds the names of those that say the same.
    case disagreement(block: UInt64, camps: [[String]])
    /// The task was cancelled.
    case cancelled
}

extension ChainError: CustomStringConvertible {
    /// One sentence, which names endpoints by their hosts and never by more of their URLs.
    package var description: String {
        switch self {
        case .endpointCount(let limit): "A chain has 1 to \(limit) endpoints."
        case .repeatedEndpoint(let name): "The chain endpoint \(name) stands twice, but agrees only with itself."
        case .finality: "A block is final after 1 to 10000 confirmations."
        case .tooManyProbes(let limit): "One reading of the chain takes at most \(limit) authorizations."
        case .tooFewAnswers(let count, let needed, let faults):
            "Only \(count) chain endpoints gave an answer that counts where \(needed) are needed: "
                + faults.map(\.description).joined(separator: "; ") + "."
        case .disagreement(let block, let camps):
            "Chain endpoints disagree about block \(block), so that nothing is concluded: "
                + camps.map { $0.joined(separator: " and ") }.joined(separator: " against ") + "."
        case .cancelled: "The reading of the chain was cancelled."
        }
    }
}
