package import Chain
import Ethereum
package import Logging
package import Payments
package import Primitives

/// The chain reader as the witness of reconciliations.
package struct ChainWatch: ChainWitness {
    /// Readings that are tried anew with fewer probes before the whole is given up.
    private static let retryLimit = 16

    private let network: String
    private let reader: ChainReader
    private let clock: any WallClock
    private let logger: Logger

    /// Makes a witness of one network.
    package init(network: String, reader: ChainReader, clock: any WallClock, logger: Logger) {
        self.network = network
        self.reader = reader
        self.clock = clock
        self.logger = logger
    }

    /// Reads all probes that can be read; one that spoils a reading is left out, and the others are read without it.
    package func read(_ probes: [Payments.AuthorizationProbe]) async throws -> ProofReading {
        let questions = probes.map { Chain.AuthorizationProbe($0) }
        var asked = questions.indices.filter { questions[$0] != nil }
        for _ in 0...Self.retryLimit {
            do throws(ChainError) {
                let reading = try await reader.read(asked.compactMap { questions[$0] }, at: clock.now())
                for fault in reading.leftOut { note(fault) }
                var used = [Bool?](repeating: nil, count: probes.count)
                for (index, isUsed) in zip(asked, reading.isUsed) { used[index] = isUsed }
                return ProofReading(finalBlock: reading.block.number, finalTime: reading.block.time, used: used)
            } catch {
                guard case .tooFewAnswers(_, _, let faults) = error else { throw error }
                let spoilers = Set(faults.compactMap(\.probe))
                guard !spoilers.isEmpty else { throw error }
                for fault in faults { note(fault) }
                asked = asked.indices.filter { !spoilers.contains($0) }.map { asked[$0] }
            }
        }
        throw TooManyFaults()
    }

    private func note(_ fault: EndpointFault) {
        logger.warning("chain endpoint left out", metadata: ["network": "\(network)", "problem": "\(fault)"])
    }

    /// Reading after reading was spoilt by some probe.
    private struct TooManyFaults: Error, CustomStringConvertible {
        var description: String { "too many authorizations could not be read" }
    }
}

extension Chain.AuthorizationProbe {
    /// The question behind a payment's probe; nil for a scheme that no contract of this program's knowledge keeps, and
    /// for addresses that are none.
    package init?(_ probe: Payments.AuthorizationProbe) {
        guard probe.scheme == "exact", let token = Address(hex: probe.token), let payer = Address(hex: probe.payer)
        else { return nil }
        self.init(token: token, authorizer: payer, nonce: probe.nonce, kind: .eip3009)
    }
}
