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

    /// A block by its tag, once the endpoint has said that it serves the right chain.
    func block(tagged tag: String, _ bounds: Bounds) async throws(EndpointFault) -> ChainBlock {
        do throws(EndpointFault.Reason) {
            let answers = try await rpc.call([NodeCall.chainID, NodeCall.block(tag)], by: bounds.deadline)
            let served = try answers[0].get().string.flatMap(JSONRPCQuantity.decode)
            guard served == chainID else { throw .wrongChain(served) }
            return try ChainBlock(answers[1].get(), now: bounds.now)
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }

    /// The endpoint's newest final block; `memory` is what was known before the question.
    func finalBlock(_ memory: FinalBlockMemory, _ bounds: Bounds) async throws(EndpointFault) -> FinalBlock {
        let block = try await block(tagged: finality.tag, bounds)
        do throws(EndpointFault.Reason) {
            let final = try Self.final(below: block, finality)
            try memory.check(final)
            return final
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }

    private static func final(
        below block: ChainBlock, _ finality: ChainFinality
    ) throws(EndpointFault.Reason) -> FinalBlock {
        guard case .confirmations(let count) = finality else {
            return FinalBlock(number: block.number, hash: block.hash, time: block.time)
        }
        guard block.number >= UInt64(count) else { throw .noBlock }
        return FinalBlock(number: block.number - UInt64(count), hash: nil, time: block.time)
    }

    /// The endpoint's newest block, which may not be older than an hour: an account's numbers as of then are no use.
    func latestBlock(_ bounds: Bounds) async throws(EndpointFault) -> FinalBlock {
        let block = try await block(tagged: "latest", bounds)
        guard Self.isFresh(block.time, at: bounds.now, on: rpc.endpoint) else {
            throw EndpointFault(endpoint: name, reason: .oldBlock(time: block.time))
        }
        return FinalBlock(number: block.number, hash: block.hash, time: block.time)
    }

    /// Whether a newest block's time, in Unix seconds, is young enough by the local clock.
    ///
    /// On loopback any is: a development chain makes no blocks while it is idle. Endpoints are compared with each other in either case.
    static func isFresh(_ time: Int64, at now: Timestamp, on endpoint: ChainEndpoint) -> Bool {
        endpoint.isLocal || time >= now.adding(seconds: -FinalBlock.latestAge).seconds
    }

    /// The state as of a block, by this endpoint; `named` is the hash that it gave the block in this reading.
    ///
    /// Each batch asks for the block again: behind one name stand many machines, and all have to know the same block.
    /// Answers that do not count are kept beside the others. Only when none counts it is the endpoint that fails.
    func snapshot<Value>(
        of questions: [StateQuestion<Value>], at number: UInt64, named hash: Bytes32? = nil, _ bounds: Bounds
    ) async throws(EndpointFault) -> BlockSnapshot<Value> {
        var block: ChainBlock?
        var given: [Result<Value, EndpointFault.Reason>] = []
        repeat {
            let range = given.count..<min(given.count + Self.batchLimit - 1, questions.count)
            let calls = questions[range].map { $0.call(number) }
            let answers = try await answers(
                to: [NodeCall.block(JSONRPCQuantity.encode(number))] + calls, bounds)
            let named = try self.block(answers[0], number: number, bounds)
            guard named == block ?? named, hash ?? named.hash == named.hash else {
                throw EndpointFault(endpoint: name, reason: .changedBlock(number))
            }
            block = named
            for (question, answer) in zip(questions[range], answers.dropFirst()) {
                given.append(
                    answer.flatMap { value in
                        question.meaning(value).map { .success($0) } ?? .failure(question.fault)
                    })
            }
        } while given.count < questions.count
        guard let block else { throw EndpointFault(endpoint: name, reason: .noBlock) }
        let reasons = given.compactMap { answer in if case .failure(let reason) = answer { reason } else { nil } }
        if let first = reasons.first, reasons.count == given.count {
            throw EndpointFault(endpoint: name, reason: first, probe: 0)
        }
        return BlockSnapshot(block: block, answers: given)
    }

    /// The responses to a batch, whatever each of them is.
    func answers(to calls: [JSONRPCCall], _ bounds: Bounds) async throws(EndpointFault) -> [Answer] {
        do throws(EndpointFault.Reason) {
            return try await rpc.call(calls, by: bounds.deadline)
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }

    /// One response, or why there is none.
    typealias Answer = Result<JSONValue, EndpointFault.Reason>

    /// Reads a response to `eth_getBlockByNumber` for a block of this number.
    func block(_ answer: Answer, number: UInt64, _ bounds: Bounds) throws(EndpointFault) -> ChainBlock {
        do throws(EndpointFault.Reason) {
            let block = try ChainBlock(answer.get(), now: bounds.now)
            guard block.number == number else { throw .badBlock }
            return block
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }
}
