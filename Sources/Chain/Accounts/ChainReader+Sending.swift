package import Ethereum
package import Primitives

extension ChainReader {
    /// What a transaction that is to be in one of the next blocks should offer for gas.
    ///
    /// The base fee stands in the newest block that the endpoints share, on which they have to agree. With one: twice it,
    /// and a priority fee, which is the median of the newest blocks or what a node asks above the base fee, whichever is
    /// more (EIP-1559). Without one: what a node asks and a tenth more. Nodes ask for different amounts, so that one is
    /// offered which so many endpoints ask for at least as have to agree: fewer cannot raise it.
    package func fee(at now: Timestamp) async throws(ChainError) -> Transaction.Fee {
        let bounds = bounds(now)
        let tips = await latestBlocks(bounds)
        try require(tips)
        let lowest = Self.lowest(of: tips)
        let offers: [Result<FeeOffer, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                _ = try tips[index].get()
                return .success(try await self.readers[index].feeOffer(at: lowest, bounds))
            } catch {
                return .failure(error)
            }
        }
        try require(offers)
        let given = zip(readers, offers).compactMap { reader, offer in (try? offer.get()).map { (reader.name, $0) } }
        let camps = Dictionary(grouping: given) { $0.1.basis }.values.map { $0.map(\.0) }
        guard camps.count == 1, let basis = given.first?.1.basis else {
            throw .disagreement(block: lowest, camps: camps.sorted { $0.lexicographicallyPrecedes($1) })
        }
        let asked = given.map(\.1.asked).sorted(by: >)[needed - 1]
        guard let base = basis.baseFee else { return .legacy(price: asked) }
        guard let maximum = base.multiplied(by: 2)?.adding(asked) else {
            throw .tooFewAnswers(
                count: 0, needed: needed, faults: given.map { EndpointFault(endpoint: $0.0, reason: .badQuantity) })
        }
        return .dynamic(maximum: maximum, priority: asked)
    }

    /// What a contract would answer to a transaction as of the newest block that the endpoints share, without sending it;
    /// throws with the nodes' words when it reverts.
    package func simulate(
        from account: Address, to contract: Address, data: [UInt8], at now: Timestamp
    ) async throws(ChainError) -> [UInt8] {
        let question = StateQuestion(simulating: data, from: account, to: contract)
        let answers = try await answers(to: [question], at: .latest, bounds(now))
        guard let answer = answers.values.first ?? nil else { throw tooFew(answers.leftOut) }
        return answer
    }

    /// The gas that a transaction would use, by the endpoint that thinks it needs the most: what is not used is not paid.
    ///
    /// It is for the caller to set a limit.
    package func gas(
        from account: Address, to contract: Address, data: [UInt8], at now: Timestamp
    ) async throws(ChainError) -> UInt64 {
        let bounds = bounds(now)
        let call = NodeCall.gasEstimate(from: account, to: contract, data: data)
        let estimates: [Result<UInt64, EndpointFault>] = await ask { index in
            let reader = self.readers[index]
            do throws(EndpointFault) {
                let gas = try await reader.quantities([call], bounds)[0].uint64
                return gas.map { .success($0) } ?? .failure(EndpointFault(endpoint: reader.name, reason: .badQuantity))
            } catch {
                return .failure(error)
            }
        }
        try require(estimates)
        return estimates.compactMap { try? $0.get() }.max() ?? 0
    }

    /// Hands a signed transaction to every endpoint; one that takes it under its own hash is enough.
    package func send(_ transaction: SignedTransaction, at now: Timestamp) async throws(ChainError) {
        let bounds = bounds(now)
        let answers: [Result<Bool, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                try await self.readers[index].send(transaction, bounds)
                return .success(true)
            } catch {
                return .failure(error)
            }
        }
        let faults = answers.compactMap { answer in if case .failure(let fault) = answer { fault } else { nil } }
        guard faults.count < answers.count else { throw .tooFewAnswers(count: 0, needed: 1, faults: faults) }
    }

    /// What became of a transaction, once enough endpoints say the same; nil until then.
    package func receipt(of hash: Bytes32, at now: Timestamp) async throws(ChainError) -> TransactionReceipt? {
        let bounds = bounds(now)
        let answers: [Result<TransactionReceipt?, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                return .success(try await self.readers[index].receipt(of: hash, bounds))
            } catch {
                return .failure(error)
            }
        }
        try require(answers)
        let receipts = answers.compactMap { (try? $0.get()) ?? nil }
        guard let receipt = receipts.first, receipts.count >= needed, receipts.allSatisfy({ $0 == receipt }) else {
            return nil
        }
        return receipt
    }
}

/// What one endpoint says a transaction should offer for gas.
struct FeeOffer: Sendable {
    /// What endpoints have to agree on.
    struct Basis: Hashable, Sendable {
        let block: ChainBlock
        /// Wei for each gas; nil on a chain without base fees.
        let baseFee: UInt256?
    }

    let basis: Basis
    /// Wei for each gas: the priority fee where there is a base fee, all of it elsewhere.
    let asked: UInt256
}

/// What became of a transaction that is in a block.
package struct TransactionReceipt: Hashable, Sendable {
    /// The block's number.
    package let block: UInt64
    /// The block's hash.
    package let blockHash: Bytes32
    /// Whether it did what it was made for.
    package let succeeded: Bool
}

extension EndpointReader {
    /// Blocks whose fees are looked at.
    private static let feeBlocks: UInt64 = 5

    /// What this endpoint would offer for gas behind the block of this number.
    func feeOffer(at number: UInt64, _ bounds: Bounds) async throws(EndpointFault) -> FeeOffer {
        let answers = try await answers(
            to: [
                NodeCall.gasPrice, NodeCall.block(JSONRPCQuantity.encode(number)),
                NodeCall.feeHistory(blocks: Self.feeBlocks, through: number),
            ], bounds)
        let block = try block(answers[1], number: number, bounds)
        do throws(EndpointFault.Reason) {
            guard let price = try answers[0].get().string.flatMap(JSONRPCQuantity.decodeWide) else {
                throw .badQuantity
            }
            guard let field = try answers[1].get()["baseFeePerGas"], !field.isNull else {
                let (tenth, _) = price.quotientAndRemainder(dividingBy: 10) ?? (.zero, 0)
                return FeeOffer(
                    basis: FeeOffer.Basis(block: block, baseFee: nil), asked: price.adding(tenth) ?? price)
            }
            guard let base = field.string.flatMap(JSONRPCQuantity.decodeWide) else { throw .badQuantity }
            // Not every node has the call; what it asks for now is enough then.
            let history = try? answers[2].get()
            let medians = (history?["reward"]?.elements ?? []).compactMap { Self.lastNumber($0) }.sorted()
            let median = medians.isEmpty ? .zero : medians[medians.count / 2]
            return FeeOffer(
                basis: FeeOffer.Basis(block: block, baseFee: base),
                asked: max(median, price.subtracting(base) ?? .zero))
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }

    private static func lastNumber(_ list: JSONValue?) -> UInt256? {
        list?.elements?.last?.string.flatMap(JSONRPCQuantity.decodeWide)
    }

    func send(_ transaction: SignedTransaction, _ bounds: Bounds) async throws(EndpointFault) {
        let answers = try await answers(to: [NodeCall.send(transaction.bytes)], bounds)
        do throws(EndpointFault.Reason) {
            let hash = try answers[0].get().string.flatMap(JSONRPCData.decode).flatMap { Bytes32($0) }
            guard hash == transaction.hash else { throw .badTransaction }
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }

    func receipt(of hash: Bytes32, _ bounds: Bounds) async throws(EndpointFault) -> TransactionReceipt? {
        let answers = try await answers(to: [NodeCall.receipt(hash)], bounds)
        do throws(EndpointFault.Reason) {
            let receipt = try answers[0].get()
            guard !receipt.isNull else { return nil }
            func word(_ key: String) -> Bytes32? {
                receipt[key]?.string.flatMap(JSONRPCData.decode).flatMap { Bytes32($0) }
            }
            func number(_ key: String) -> UInt64? { receipt[key]?.string.flatMap(JSONRPCQuantity.decode) }
            guard word("transactionHash") == hash, let block = number("blockNumber"), let blockHash = word("blockHash"),
                let status = number("status"), status < 2
            else { throw .badTransaction }
            return TransactionReceipt(block: block, blockHash: blockHash, succeeded: status == 1)
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }
}
