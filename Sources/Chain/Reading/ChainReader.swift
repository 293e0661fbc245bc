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

    let readers: [EndpointReader]
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
        let answers = try await answers(to: probes.map { ContractQuestion($0) }, at: .final, bounds(now))
        return ChainReading(block: answers.block, isUsed: answers.values, leftOut: answers.leftOut)
    }

    /// Which block a reading is about.
    enum Horizon: Sendable {
        /// The lowest of those that the endpoints call final.
        case final
        /// The lowest of those that are the newest of the endpoints: it may yet be undone.
        case latest
        /// The block of this number, which some endpoint is known to have called final.
        case number(UInt64)
    }

    /// The bounds of a reading that begins now.
    func bounds(_ now: Timestamp) -> EndpointReader.Bounds {
        EndpointReader.Bounds(now: now, deadline: .now() + limits.reading)
    }

    /// What contracts say as of one block.
    func answers<Value>(
        to questions: [ContractQuestion<Value>], at horizon: Horizon, _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> BlockAnswers<Value> {
        let tips: [Result<FinalBlock, EndpointFault>] =
            switch horizon {
            case .final: try await finalBlocks(bounds)
            case .latest: try await latestBlocks(bounds)
            case .number(let number): readers.map { _ in .success(FinalBlock(number: number, hash: nil)) }
            }
        // There is one: enough endpoints have answered.
        let lowest = tips.compactMap { try? $0.get().number }.min() ?? 0
        let answers: [Result<BlockSnapshot<Value>, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                let tip = try tips[index].get()
                return .success(
                    try await self.readers[index].snapshot(
                        of: questions, at: lowest, named: tip.number == lowest ? tip.hash : nil, bounds))
            } catch {
                return .failure(error)
            }
        }
        try require(answers)
        return try BlockAnswers(answers, names: readers.map(\.name), needed: needed)
    }

    /// How many endpoints have to say the same.
    var needed: Int { min(2, readers.count) }

    /// Puts one question to every endpoint and returns what enough of them say and none denies.
    ///
    /// `block` is what a disagreement is about.
    func agreed<Value: Sendable & Equatable>(
        about block: UInt64, _ question: @escaping @Sendable (EndpointReader) async throws(EndpointFault) -> Value
    ) async throws(ChainError) -> Value {
        let answers: [Result<Value, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                return .success(try await question(self.readers[index]))
            } catch {
                return .failure(error)
            }
        }
        try require(answers)
        var camps: [(value: Value, names: [String])] = []
        for (reader, answer) in zip(readers, answers) {
            guard case .success(let value) = answer else { continue }
            if let index = camps.firstIndex(where: { $0.value == value }) {
                camps[index].names.append(reader.name)
            } else {
                camps.append((value, [reader.name]))
            }
        }
        guard camps.count == 1, let camp = camps.first else {
            throw .disagreement(block: block, camps: camps.map(\.names))
        }
        return camp.value
    }

    /// Asks every endpoint for its newest block.
    private func latestBlocks(
        _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> [Result<FinalBlock, EndpointFault>] {
        let blocks: [Result<FinalBlock, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                let block = try await self.readers[index].block(tagged: "latest", bounds)
                return .success(FinalBlock(number: block.number, hash: block.hash))
            } catch {
                return .failure(error)
            }
        }
        try require(blocks)
        return blocks
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
    func ask<Answer: Sendable>(
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
    func require<Answer>(_ answers: [Result<Answer, EndpointFault>]) throws(ChainError) {
        let faults = answers.compactMap { answer -> EndpointFault? in
            if case .failure(let fault) = answer { fault } else { nil }
        }
        let count = answers.count - faults.count
        if faults.contains(where: { $0.reason == .cancelled }) { throw .cancelled }
        guard count >= needed else { throw .tooFewAnswers(count: count, needed: needed, faults: faults) }
    }
}
