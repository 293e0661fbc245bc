package import Transport

/// Why one endpoint's answers do not count in a reading.
package struct EndpointFault: Error, Sendable, Equatable {
    /// What was wrong.
    package enum Reason: Error, Sendable, Equatable {
        /// No answer came, or none that is HTTP/1.1.
        case unreachable(UpstreamFailure)
        /// The answer was not here in time.
        case timedOut
        /// The reading was cancelled.
        case cancelled
        /// The status is not 200; redirects are not followed.
        case status(Int)
        /// The answer is longer than the limit, in bytes.
        case tooLarge(limit: Int)
        /// The answer declares neither its length nor the chunked coding.
        case unframed
        /// The answer is not the answer to a JSON-RPC batch.
        case malformed(JSONRPCFault)
        /// The endpoint answered with an error; the text is cut to 128 printable characters.
        case refused(code: Int64, text: String)
        /// The endpoint serves another chain; nil when its number is not one.
        case wrongChain(UInt64?)
        /// A block lacks its number, hash or time, or has another number than was asked for.
        case badBlock
        /// The endpoint does not have the block.
        case noBlock
        /// The block's time, in Unix seconds, is more than a minute ahead of the local clock.
        case futureBlock(time: Int64)
        /// The newest block's time, in Unix seconds, is more than an hour behind the local clock; not on loopback.
        case oldBlock(time: Int64)
        /// The block's time, in Unix seconds, is too far behind the one that another endpoint named: more than an
        /// hour for final blocks, two minutes for newest ones.
        case behind(time: Int64, newest: Int64)
        /// The final block lies below the one that endpoints agreed on before, or is another of the same number.
        case wentBack(from: UInt64, to: UInt64)
        /// Answers of one reading name two hashes for one block.
        case changedBlock(UInt64)
        /// A contract's answer is not one word with a meaning; an address without a contract answers with no bytes.
        case badWord
        /// A transaction, its receipt or its events cannot be read, or contradict each other.
        case badTransaction
        /// A number, such as a fee or a balance, cannot be read.
        case badQuantity
    }

    /// The endpoint's host, and its port where it is not the usual one.
    package let endpoint: String
    /// What was wrong.
    package let reason: Reason
    /// Which probe it was wrong with, as an index; nil where it has nothing to do with one.
    ///
    /// A caller may leave that probe out and read the others.
    package let probe: Int?

    /// Makes a fault.
    package init(endpoint: String, reason: Reason, probe: Int? = nil) {
        self.endpoint = endpoint
        self.reason = reason
        self.probe = probe
    }
}

extension EndpointFault: CustomStringConvertible {
    /// A clause that names the host and nothing else of the URL, without a full stop.
    package var description: String {
        "\(endpoint) \(reason)\(probe.map { " (probe \($0))" } ?? "")"
    }
}

extension EndpointFault.Reason: CustomStringConvertible {
    /// A verb and its object, to stand behind the endpoint's name.
    package var description: String {
        switch self {
        case .unreachable(let failure): Self.words(failure)
        case .timedOut: "did not answer in time"
        case .cancelled: "was not waited for"
        case .status(let status): "answered with status \(status)"
        case .tooLarge(let limit): "answered with more than \(limit) bytes"
        case .unframed: "does not say how long its answer is"
        case .malformed(let fault): fault.description
        case .refused(let code, let text): "answered with error \(code): \(text)"
        case .wrongChain(let number?): "serves chain \(number)"
        case .wrongChain(nil): "does not say which chain it serves"
        case .badBlock: "answered with a block that cannot be read"
        case .noBlock: "does not have the block"
        case .futureBlock(let time): "answered with a block of the future (Unix time \(time))"
        case .oldBlock(let time): "answered with a newest block that is more than an hour old (Unix time \(time))"
        case .behind(let time, let newest): "is \(newest - time) seconds behind another endpoint"
        case .wentBack(let from, let to):
            "calls block \(to) final, although the endpoints agreed on block \(from) before"
        case .changedBlock(let number): "named two hashes for block \(number)"
        case .badTransaction: "answered with a transaction that cannot be read"
        case .badQuantity: "answered with what is no number"
        case .badWord: "answered a call with what is not the contract's answer"
        }
    }

    private static func words(_ failure: UpstreamFailure) -> String {
        switch failure {
        case .connect(let reason): "could not be reached: \(reason)"
        case .connectTimeout: "could not be reached in time"
        case .resting: "could not be reached several times in a row"
        case .addressRefused: "has no address that may be dialled"
        case .tooManyLookups: "was not looked up: too many look-ups of its name are waiting"
        case .tls(let reason): "could not be reached over TLS: \(reason)"
        case .closedBeforeResponse: "closed the connection without an answer"
        case .notProcessed: "turned the request away unread"
        case .truncated: "broke off its answer"
        case .malformed: "did not answer in valid HTTP/1.1"
        case .unexpectedUpgrade: "switched protocols without being asked"
        }
    }
}
