package import Chain
import Ethereum
package import Logging
package import Payments
package import Primitives
import Synchronization
import X402

/// The chain reader as the witness of reconciliations.
package struct ChainWatch: ChainWitness {
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

    /// Makes a witness of a network that asks this reader.
    package init(network: String, reader: ChainReader, clock: any WallClock, logger: Logger) {
        self.init(network: network, clock: clock, logger: logger) { (probes, now) throws(ChainError) in
            try await reader.read(probes, at: now)
        }
    }

    /// Reads all probes that can be read; what is wrong with the others is logged, and proves nothing.
    package func read(_ probes: [UnprovenAuthorization]) async throws -> ProofReading {
        let questions = probes.map { AuthorizationProbe($0) }
        let asked = questions.indices.filter { questions[$0] != nil }
        let reading = try await self.reading(asked.compactMap { questions[$0] }, clock.now())
        note(reading.leftOut)
        var used = [Bool?](repeating: nil, count: probes.count)
        for (index, isUsed) in zip(asked, reading.isUsed) { used[index] = isUsed }
        return ProofReading(finalBlock: reading.block.number, finalTime: reading.block.time, used: used)
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
            logger.warning(
                fault.authorizations == 0 ? "chain endpoint left out" : "authorizations not read",
                metadata: [
                    "network": "\(network)", "problem": "\(fault.text)", "count": "\(max(1, fault.authorizations))",
                ])
        }
    }
}

extension AuthorizationProbe {
    /// The question behind a payment's probe; nil when no contract that is known here keeps its nonce, and for
    /// addresses that are none.
    package init?(_ probe: UnprovenAuthorization) {
        guard let keeper = probe.keeper, let token = Address(hex: probe.token), let payer = Address(hex: probe.payer)
        else { return nil }
        let kind: Kind =
            switch keeper {
            case .token: .eip3009
            case .permit2: .permit2
            }
        self.init(token: token, authorizer: payer, nonce: probe.nonce, kind: kind)
    }
}

/// What was wrong with the last reading.
private final class KnownFaults: Sendable {
    /// Everything that one endpoint said for one reason.
    struct Gathered {
        /// Endpoint and reason.
        let text: String
        /// How many authorizations it said it of; 0 when it is about the endpoint as a whole.
        var authorizations: Int
    }

    private let last = Mutex<Set<String>>([])

    /// Takes a reading's faults and returns those that the one before did not have, each endpoint and reason once.
    ///
    /// Which authorizations they are about is left out: their places change from reading to reading.
    func fresh(_ faults: [EndpointFault]) -> [Gathered] {
        var gathered: [Gathered] = []
        for fault in faults {
            let text = "\(fault.endpoint) \(fault.reason)"
            let count = fault.probe == nil ? 0 : 1
            if let index = gathered.firstIndex(where: { $0.text == text }) {
                gathered[index].authorizations += count
            } else {
                gathered.append(Gathered(text: text, authorizations: count))
            }
        }
        return last.withLock { last in
            let fresh = gathered.filter { !last.contains($0.text) }
            last = Set(gathered.map(\.text))
            return fresh
        }
    }
}
