import Chain
import Primitives
import Synchronization

/// How one chain looked at the daemon's last reading.
package struct ChainStanding: Sendable, Equatable {
    /// The CAIP-2 network.
    package let network: String
    /// When it was read last, RFC 3339.
    package var readAt: String
    /// What was wrong with that reading; nil when enough endpoints agreed.
    package var problem: String?
    /// Whether the problem is that endpoints contradict each other.
    package var isDisagreement = false
    /// Endpoints whose answers did not count although enough others agreed, with their reasons.
    package var leftOut: [String] = []
    /// The newest final block on which enough endpoints have agreed since the daemon started; nil when there is none.
    package var block: UInt64?
    /// That block's time, RFC 3339.
    package var blockTime: String?
    /// When the endpoints last agreed on a final block, RFC 3339.
    package var agreedAt: String?

    /// Makes the standing of a chain that was not read yet.
    package init(network: String, readAt: String) {
        self.network = network
        self.readAt = readAt
    }

    /// Takes over a reading's outcome.
    mutating func take(_ outcome: Result<ChainReading, ChainError>, at now: Timestamp) {
        readAt = now.description
        switch outcome {
        case .success(let reading):
            (problem, isDisagreement) = (nil, false)
            leftOut = reading.leftOut.filter { $0.probe == nil }.map(\.description)
            block = reading.block.number
            blockTime = Timestamp(seconds: reading.block.time).description
            agreedAt = readAt
        case .failure(let error):
            (problem, isDisagreement, leftOut) = (error.description, error.isDisagreement, [])
        }
    }

    /// The line of a person's `status`.
    package var words: String {
        let proven = block.map { "final block \($0) of \(blockTime ?? "-"), agreed on at \(agreedAt ?? "-")" }
        guard let problem else {
            let left = leftOut.isEmpty ? "" : "; left out: " + leftOut.joined(separator: ", ")
            return (proven ?? "not read yet") + left
        }
        return "nothing is proven since \(agreedAt ?? "the start"): \(problem) Last \(proven ?? "agreement: none")"
    }
}

extension ChainError {
    /// Whether endpoints contradict each other, or what they agreed on before.
    var isDisagreement: Bool {
        switch self {
        case .disagreement, .differentNumbers, .implausible, .forgotten: true
        default: false
        }
    }
}

/// The standings of all chains that a daemon reads, handed to `write` whenever one of them changes.
final class ChainBoard: Sendable {
    private let standings = Mutex<[String: ChainStanding]>([:])
    private let write: @Sendable ([ChainStanding]) -> Void

    init(write: @escaping @Sendable ([ChainStanding]) -> Void) {
        self.write = write
    }

    /// Takes over a reading's outcome.
    func note(_ outcome: Result<ChainReading, ChainError>, of network: String, at now: Timestamp) {
        standings.withLock { standings in
            standings[network, default: ChainStanding(network: network, readAt: now.description)].take(outcome, at: now)
            // Under the lock, so that an older state never overwrites a newer one.
            write(standings.values.sorted { $0.network < $1.network })
        }
    }
}
