package import Chain
import Ethereum
package import Logging
package import Payments
package import Primitives
import Synchronization
package import Transport

/// The chain reader as the witness of reconciliations.
package struct ChainWatch: ChainWitness {
    /// Readings that are tried anew with fewer probes before the whole is given up.
    private static let retryLimit = 16

    /// Reads probes as of one final block.
    package typealias Reading =
        @Sendable (
            _ probes: [AuthorizationProbe], _ now: Timestamp
        ) async throws(ChainError) -> ChainReading

    private let network: String
    private let reading: Reading
    private let clock: any WallClock
    private let logger: Logger
    private let known = KnownFaults()

    /// Makes a witness of one network that reads by `reading`.
    package init(network: String, clock: any WallClock, logger: Logger, reading: @escaping Reading) {
        self.network = network
        self.reading = reading
        self.clock = clock
        self.logger = logger
    }

    /// Makes a witness of a configured chain.
    package init(_ chain: Configuration.ChainEntry, client: BoundedClient, clock: any WallClock, logger: Logger)
        throws(ChainError)
    {
        let reader = try ChainReader(
            chainID: chain.chainID, endpoints: chain.endpoints, finality: chain.finality, client: client)
        self.init(network: chain.network, clock: clock, logger: logger) { (probes, now) throws(ChainError) in
            try await reader.read(probes, at: now)
        }
    }

    /// Reads all probes that can be read; one that spoils a reading is left out, and the others are read without it.
    package func read(_ probes: [UnprovenAuthorization]) async throws -> ProofReading {
        let questions = probes.map { AuthorizationProbe($0) }
        var asked = questions.indices.filter { questions[$0] != nil }
        var faults: [EndpointFault] = []
        for _ in 0...Self.retryLimit {
            do throws(ChainError) {
                let reading = try await self.reading(asked.compactMap { questions[$0] }, clock.now())
                note(faults + reading.leftOut)
                var used = [Bool?](repeating: nil, count: probes.count)
                for (index, isUsed) in zip(asked, reading.isUsed) { used[index] = isUsed }
                return ProofReading(finalBlock: reading.block.number, finalTime: reading.block.time, used: used)
            } catch {
                guard case .tooFewAnswers(_, _, let found) = error else { throw error }
                let spoilers = Set(found.compactMap(\.probe))
                guard !spoilers.isEmpty else { throw error }
                faults += found
                asked = asked.indices.filter { !spoilers.contains($0) }.map { asked[$0] }
            }
        }
        throw TooManyFaults()
    }

    /// Reads nothing but a final block, so that a wrong endpoint is noticed before the first payment needs it.
    package func announce() async {
        do throws(ChainError) {
            let reading = try await self.reading([], clock.now())
            note(reading.leftOut)
            logger.info(
                "chain is read", metadata: ["network": "\(network)", "final-block": "\(reading.block.number)"])
        } catch {
            guard error != .cancelled else { return }
            logger.warning("chain not read", metadata: ["network": "\(network)", "problem": "\(error)"])
        }
    }

    /// Logs faults that the reading before did not have: an endpoint that is down for a day is one line, not thousands.
    private func note(_ faults: [EndpointFault]) {
        for fault in known.fresh(faults) {
            logger.warning("chain endpoint left out", metadata: ["network": "\(network)", "problem": "\(fault)"])
        }
    }

    /// Reading after reading was spoilt by some probe.
    private struct TooManyFaults: Error, CustomStringConvertible {
        var description: String { "too many authorizations could not be read" }
    }
}

extension AuthorizationProbe {
    /// The question behind a payment's probe; nil for a scheme that no contract of this program's knowledge keeps, and
    /// for addresses that are none.
    package init?(_ probe: UnprovenAuthorization) {
        guard probe.scheme == "exact", let token = Address(hex: probe.token), let payer = Address(hex: probe.payer)
        else { return nil }
        self.init(token: token, authorizer: payer, nonce: probe.nonce, kind: .eip3009)
    }
}

/// What was wrong with the last reading.
private final class KnownFaults: Sendable {
    private let last = Mutex<Set<String>>([])

    /// Takes a reading's faults and returns those that the one before did not have.
    func fresh(_ faults: [EndpointFault]) -> [EndpointFault] {
        last.withLock { last in
            let fresh = faults.filter { !last.contains($0.description) }
            last = Set(faults.map(\.description))
            return fresh
        }
    }
}
