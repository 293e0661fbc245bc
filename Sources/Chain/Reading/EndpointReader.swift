import NIOCore
import Primitives

/// Asks one endpoint the questions of a reading.
struct EndpointReader: Sendable {
    /// Calls of one batch, the block's own included.
    static let batchLimit = 50

    let rpc: JSONRPCEndpoint
    let chainID: UInt64
    let finality: ChainFinality

    /// The endpoint's name.
    var name: String { rpc.endpoint.name }

    /// One reading's bounds.
    struct Bounds: Sendable {
        /// The local clock.
        let now: Timestamp
        /// When every answer has to be here.
        let deadline: NIODeadline
    }

    /// The endpoint's newest final block, once it has said that it serves the right chain.
    ///
    /// `earlier` is the newest one it named before.
    func finalBlock(after earlier: FinalBlock?, _ bounds: Bounds) async throws(EndpointFault) -> FinalBlock {
        do throws(EndpointFault.Reason) {
            let answers = try await rpc.call([NodeCall.chainID, NodeCall.block(finality.tag)], by: bounds.deadline)
            let served = try answers[0].get().string.flatMap(JSONRPCQuantity.decode)
            guard served == chainID else { throw .wrongChain(served) }
            let block = try ChainBlock(answers[1].get(), now: bounds.now)
            let final = try Self.final(below: block, finality)
            try final.check(after: earlier)
            return final
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }

    private static func final(
        below block: ChainBlock, _ finality: ChainFinality
    ) throws(EndpointFault.Reason) -> FinalBlock {
        guard case .confirmations(let count) = finality else {
            return FinalBlock(number: block.number, hash: block.hash)
        }
        guard block.number >= UInt64(count) else { throw .noBlock }
        return FinalBlock(number: block.number - UInt64(count), hash: nil)
    }

    /// What the endpoint says about probes as of a block; `final` is what it called final in this reading.
    ///
    /// Each batch asks for the block again: behind one name stand many machines, and all have to know the same block.
    func snapshot(
        of probes: [AuthorizationProbe], at number: UInt64, final: FinalBlock, _ bounds: Bounds
    ) async throws(EndpointFault) -> BlockSnapshot {
        var block: ChainBlock?
        var isUsed: [Bool] = []
        repeat {
            let range = isUsed.count..<min(isUsed.count + Self.batchLimit - 1, probes.count)
            let calls = probes[range].map { NodeCall.authorization($0, at: number) }
            let answers = try await answers(
                to: [NodeCall.block(JSONRPCQuantity.encode(number))] + calls, bounds)
            let named = try self.block(answers[0], number: number, bounds)
            guard named == block ?? named, number != final.number || final.hash ?? named.hash == named.hash else {
                throw EndpointFault(endpoint: name, reason: .changedBlock(number))
            }
            block = named
            for (index, answer) in zip(range, answers.dropFirst()) {
                isUsed.append(try self.isUsed(answer, probe: probes[index], index: index))
            }
        } while isUsed.count < probes.count
        guard let block else { throw EndpointFault(endpoint: name, reason: .noBlock) }
        return BlockSnapshot(block: block, isUsed: isUsed)
    }

    private typealias Answer = Result<JSONValue, EndpointFault.Reason>

    private func answers(
        to calls: [JSONRPCCall], _ bounds: Bounds
    ) async throws(EndpointFault) -> [Answer] {
        do throws(EndpointFault.Reason) {
            return try await rpc.call(calls, by: bounds.deadline)
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }

    private func block(
        _ answer: Answer, number: UInt64, _ bounds: Bounds
    ) throws(EndpointFault) -> ChainBlock {
        do throws(EndpointFault.Reason) {
            let block = try ChainBlock(answer.get(), now: bounds.now)
            guard block.number == number else { throw .badBlock }
            return block
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }

    private func isUsed(
        _ answer: Answer, probe: AuthorizationProbe, index: Int
    ) throws(EndpointFault) -> Bool {
        do throws(EndpointFault.Reason) {
            guard let bytes = try answer.get().string.flatMap(JSONRPCData.decode),
                let isUsed = AuthorizationCall.isUsed(bytes, for: probe)
            else { throw .badWord }
            return isUsed
        } catch {
            throw EndpointFault(endpoint: name, reason: error, probe: index)
        }
    }
}
