import NIOCore
package import Primitives
import Synchronization
package import Transport

/// Reads from a chain whether authorizations are used, and trusts no endpoint that another one contradicts.
///
/// All endpoints are asked. The lowest of the blocks that they call final is the one that all are then asked about, and
/// an answer counts only when so many of the configured ones gave it as ``ChainAgreement`` wants and none gave another.
package final class ChainReader: Sendable {
    /// Probes of one reading.
    package static let probeLimit = 1000
    /// Endpoints that are asked at once.
    package static let endpointLimit = 8

    let readers: [EndpointReader]
    /// How many endpoints have to say the same.
    let needed: Int
    private let limits: ChainLimits
    private let memory: Mutex<FinalBlockMemory>

    /// Makes a reader of one chain, `chainID` being its number behind `eip155:`; it makes at most `blocksPerSecond` blocks
    /// a second.
    ///
    /// Throws ``ChainError/endpointCount(limit:)``, ``ChainError/repeatedEndpoint(_:)`` or ``ChainError/finality``.
    package init(
        chainID: UInt64, endpoints: [ChainEndpoint], finality: ChainFinality, agreement: ChainAgreement = .all,
        blocksPerSecond: UInt64 = ChainReader.standardBlocksPerSecond, client: BoundedClient,
        limits: ChainLimits = .standard
    ) throws(ChainError) {
        guard (1...Self.endpointLimit).contains(endpoints.count) else {
            throw .endpointCount(limit: Self.endpointLimit)
        }
        var machines: Set<String> = []
        for endpoint in endpoints where !machines.insert(endpoint.machine).inserted {
            throw .repeatedEndpoint(endpoint.name)
        }
        guard finality.isValid else { throw .finality }
        readers = endpoints.map { endpoint in
            EndpointReader(
                rpc: JSONRPCEndpoint(endpoint: endpoint, client: client, limits: limits), chainID: chainID,
                finality: finality)
        }
        needed = agreement.needed(of: endpoints.count)
        self.limits = limits
        memory = Mutex(FinalBlockMemory(rate: blocksPerSecond))
    }

    /// The most blocks that a chain makes in a second, unless somebody says otherwise.
    package static let standardBlocksPerSecond = FinalBlockMemory.standardRate

    /// Reads whether each probe's nonce is used at a final block that the endpoints agree on.
    ///
    /// `now` is the local clock, which no block may be more than a minute ahead of. The block's time decides, not `now`,
    /// whether an authorization has expired.
    ///
    /// Only this reading counts what contradicts the remembered final block, so it alone throws
    /// ``ChainError/forgotten(block:readings:cause:)``, of which its caller has to tell an operator.
    package func read(
        _ probes: [AuthorizationProbe], at now: Timestamp
    ) async throws(ChainError) -> ChainReading {
        guard probes.count <= Self.probeLimit else { throw .tooManyProbes(limit: Self.probeLimit) }
        let answers = try await finalAnswers(to: probes.map { StateQuestion($0) }, bounds(now), isCounted: true)
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

    /// The state as of one block.
    func answers<Value>(
        to questions: [StateQuestion<Value>], at horizon: Horizon, _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> BlockAnswers<Value> {
        switch horizon {
        case .final: return try await finalAnswers(to: questions, bounds, isCounted: false)
        case .latest:
            let tips = await latestBlocks(bounds)
            try require(tips)
            return try await answers(to: questions, at: tips, bounds)
        case .number(let number):
            let tip = FinalBlock(number: number, hash: nil, time: nil)
            return try await answers(to: questions, at: readers.map { _ in .success(tip) }, bounds)
        }
    }

    /// The state as of the final block, which is held against the one that was agreed on before and then remembered.
    ///
    /// `isCounted` is whether a contradiction brings the remembered block nearer to being forgotten.
    private func finalAnswers<Value>(
        to questions: [StateQuestion<Value>], _ bounds: EndpointReader.Bounds, isCounted: Bool
    ) async throws(ChainError) -> BlockAnswers<Value> {
        // What was known before the question: a reading at the same time must not make this one's answer look old.
        let earlier = memory.withLock { $0 }
        let tips = await finalBlocks(earlier, bounds)
        do throws(ChainError) {
            try require(tips)
            let answers = try await answers(to: questions, at: tips, bounds)
            try earlier.check(answers.block)
            memory.withLock { $0.agree(on: answers.block) }
            return answers
        } catch {
            let isContradicted = tips.contains { tip in
                if case .failure(let fault) = tip, case .wentBack = fault.reason { true } else { false }
            }
            let isImplausible = if case .implausible = error { true } else { false }
            guard isCounted, isContradicted || isImplausible,
                let forgotten = memory.withLock({ $0.contradict(at: bounds.now) })
            else { throw error }
            throw .forgotten(block: forgotten.number, readings: FinalBlockMemory.patience, cause: error)
        }
    }

    private func answers<Value>(
        to questions: [StateQuestion<Value>], at tips: [Result<FinalBlock, EndpointFault>],
        _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> BlockAnswers<Value> {
        let lowest = Self.lowest(of: tips)
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

    /// The lowest of the blocks that endpoints named; 0 where none has named one.
    static func lowest(of tips: [Result<FinalBlock, EndpointFault>]) -> UInt64 {
        tips.compactMap { try? $0.get().number }.min() ?? 0
    }

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
    func latestBlocks(_ bounds: EndpointReader.Bounds) async -> [Result<FinalBlock, EndpointFault>] {
        leavingLaggardsOut(
            await ask { index in
                do throws(EndpointFault) { return .success(try await self.readers[index].latestBlock(bounds)) } catch {
                    return .failure(error)
                }
            }, by: FinalBlock.latestLag)
    }

    /// Asks every endpoint for its final block.
    private func finalBlocks(
        _ memory: FinalBlockMemory, _ bounds: EndpointReader.Bounds
    ) async -> [Result<FinalBlock, EndpointFault>] {
        leavingLaggardsOut(
            await ask { index in
                do throws(EndpointFault) {
                    return .success(try await self.readers[index].finalBlock(memory, bounds))
                } catch {
                    return .failure(error)
                }
            }, by: FinalBlock.lag)
    }

    /// Takes endpoints out that have fallen more than `lag` seconds behind another one.
    ///
    /// All are asked about the lowest block, so that one which stands still would hold back the others without a word.
    private func leavingLaggardsOut(
        _ tips: [Result<FinalBlock, EndpointFault>], by lag: Int64
    ) -> [Result<FinalBlock, EndpointFault>] {
        guard let newest = tips.compactMap({ try? $0.get().time }).max() else { return tips }
        return zip(readers, tips).map { reader, tip in
            guard case .success(let block) = tip, let time = block.time, time < newest - lag else {
                return tip
            }
            return .failure(EndpointFault(endpoint: reader.name, reason: .behind(time: time, newest: newest)))
        }
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
