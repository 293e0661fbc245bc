import NIOCore
package import Primitives
import Synchronization
package import Transport

/// Reads from a chain whether authorizations are used, and trusts no endpoint that another one contradicts.
///
/// All endpoints are asked. The lowest of the blocks that they call final is the one that all are then asked about, and
/// an answer counts only when at least two of them (or the only one there is) gave it and none gave another.
package final class ChainReader: Sendable {
    /// Probes of one reading.
    package static let probeLimit = 1000
    /// Endpoints that are asked at once.
    package static let endpointLimit = 8

    private let readers: [EndpointReader]
    private let limits: ChainLimits
    /// The newest final block that each endpoint has named.
    private let newest: Mutex<[FinalBlock?]>

    /// Makes a reader of one chain, `chainID` being its number behind `eip155:`.
    ///
    /// Throws ``ChainError/endpointCount(limit:)``, ``ChainError/repeatedEndpoint(_:)`` or ``ChainError/finality``.
    package init(
        chainID: UInt64, endpoints: [ChainEndpoint], finality: ChainFinality, client: BoundedClient,
        limits: ChainLimits = .standard
    ) throws(ChainError) {
        guard (1...Self.endpointLimit).contains(endpoints.count) else {
            throw .endpointCount(limit: Self.endpointLimit)
        }
        var names: Set<String> = []
        for endpoint in endpoints where !names.insert(endpoint.name).inserted {
            throw .repeatedEndpoint(endpoint.name)
        }
        guard finality.isValid else { throw .finality }
        readers = endpoints.map { endpoint in
            EndpointReader(
                rpc: JSONRPCEndpoint(endpoint: endpoint, client: client, limits: limits), chainID: chainID,
                finality: finality)
        }
        self.limits = limits
        newest = Mutex(Array(repeating: nil, count: endpoints.count))
    }

    /// Reads whether each probe's nonce is used at a final block that the endpoints agree on.
    ///
    /// `now` is the local clock, which no block may be more than a minute ahead of. The block's time decides, not `now`,
    /// whether an authorization has expired.
    package func read(
        _ probes: [AuthorizationProbe], at now: Timestamp
    ) async throws(ChainError) -> ChainReading {
        guard probes.count <= Self.probeLimit else { throw .tooManyProbes(limit: Self.probeLimit) }
        let bounds = EndpointReader.Bounds(now: now, deadline: .now() + limits.reading)
        let finals = try await finalBlocks(bounds)
        // There is one: enough endpoints have answered.
        let lowest = finals.compactMap { try? $0.get().number }.min() ?? 0
        let answers = await ask { index in
            do throws(EndpointFault) {
                let final = try finals[index].get()
                return .success(
                    try await self.readers[index].snapshot(of: probes, at: lowest, final: final, bounds))
            } catch {
                return .failure(error)
            }
        }
        try require(answers)
        return try Self.agreement(among: answers, names: readers.map(\.name))
    }

    /// What all endpoints that answered say, if it is one thing.
    private static func agreement(
        among answers: [Result<BlockSnapshot, EndpointFault>], names: [String]
    ) throws(ChainError) -> ChainReading {
        var given: [(name: String, snapshot: BlockSnapshot)] = []
        var leftOut: [EndpointFault] = []
        for (name, answer) in zip(names, answers) {
            switch answer {
            case .success(let snapshot): given.append((name, snapshot))
            case .failure(let fault): leftOut.append(fault)
            }
        }
        guard let first = given.first?.snapshot else { throw .tooFewAnswers(count: 0, needed: 1, faults: leftOut) }
        let camps = BlockSnapshot.camps(given)
        guard camps.count == 1 else { throw .disagreement(block: first.block.number, camps: camps) }
        return ChainReading(block: first.block, isUsed: first.isUsed, leftOut: leftOut)
    }

    /// Asks every endpoint for its final block, and remembers the newest of each.
    private func finalBlocks(
        _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> [Result<FinalBlock, EndpointFault>] {
        // What was known before the question: a reading at the same time must not make this one's answer look old.
        let earlier = newest.withLock { $0 }
        let finals: [Result<FinalBlock, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                return .success(try await self.readers[index].finalBlock(after: earlier[index], bounds))
            } catch {
                return .failure(error)
            }
        }
        newest.withLock { newest in
            for (index, final) in finals.enumerated() {
                guard case .success(let block) = final else { continue }
                if newest[index].map({ $0.number < block.number }) ?? true { newest[index] = block }
            }
        }
        try require(finals)
        return finals
    }

    /// Puts one question to every endpoint at once; the answers are in the order of the endpoints.
    private func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (Int) async -> Result<Answer, EndpointFault>
    ) async -> [Result<Answer, EndpointFault>] {
        await withTaskGroup(of: (Int, Result<Answer, EndpointFault>).self) { group in
            for index in readers.indices { group.addTask { (index, await question(index)) } }
            var answers: [(Int, Result<Answer, EndpointFault>)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Throws unless enough endpoints have answered.
    private func require<Answer>(_ answers: [Result<Answer, EndpointFault>]) throws(ChainError) {
        let faults = answers.compactMap { answer -> EndpointFault? in
            if case .failure(let fault) = answer { fault } else { nil }
        }
        let count = answers.count - faults.count
        let needed = min(2, readers.count)
        if faults.contains(where: { $0.reason == .cancelled }) { throw .cancelled }
        guard count >= needed else { throw .tooFewAnswers(count: count, needed: needed, faults: faults) }
    }
}
