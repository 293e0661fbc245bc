package import Ethereum
package import Primitives

extension ChainReader {
    /// What a transaction that is to be in one of the next blocks should offer for gas.
    ///
    /// With a base fee: twice it, and the median priority fee of the newest blocks or what the node asks above the base
    /// fee, whichever is more (EIP-1559). Without one: what the node asks and a tenth more. The first endpoint that
    /// answers is believed; it is for the caller to set a limit.
    package func fee(at now: Timestamp) async throws(ChainError) -> Transaction.Fee {
        let bounds = bounds(now)
        return try await first { reader in
            do throws(EndpointFault) { return .success(try await reader.fee(bounds)) } catch { return .failure(error) }
        }
    }

    /// What a contract would answer to a transaction, without sending it; throws with the node's words when it reverts.
    package func simulate(
        from account: Address, to contract: Address, data: [UInt8], at now: Timestamp
    ) async throws(ChainError) -> [UInt8] {
        let bounds = bounds(now)
        let call = NodeCall.simulation(from: account, to: contract, data: data)
        return try await first { reader in
            do throws(EndpointFault) { return .success(try await reader.bytes(call, bounds)) } catch {
                return .failure(error)
            }
        }
    }

    /// The gas that a transaction would use.
    package func gas(
        from account: Address, to contract: Address, data: [UInt8], at now: Timestamp
    ) async throws(ChainError) -> UInt64 {
        let bounds = bounds(now)
        let call = NodeCall.gasEstimate(from: account, to: contract, data: data)
        return try await first { reader in
            do throws(EndpointFault) {
                let gas = try await reader.quantities([call], bounds)[0].uint64
                return gas.map { .success($0) }
                    ?? .failure(EndpointFault(endpoint: reader.name, reason: .badQuantity))
            } catch {
                return .failure(error)
            }
        }
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

    /// The answer of the first endpoint, in the order of the configuration, that has one.
    private func first<Value: Sendable>(
        _ question: @Sendable (EndpointReader) async -> Result<Value, EndpointFault>
    ) async throws(ChainError) -> Value {
        var faults: [EndpointFault] = []
        for reader in readers {
            switch await question(reader) {
            case .success(let value): return value
            case .failure(let fault):
                guard fault.reason != .cancelled else { throw .cancelled }
                faults.append(fault)
            }
        }
        throw .tooFewAnswers(count: 0, needed: 1, faults: faults)
    }
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

    func fee(_ bounds: Bounds) async throws(EndpointFault) -> Transaction.Fee {
        let price = try await quantities([NodeCall.gasPrice], bounds)[0]
        let answers = try await answers(to: [NodeCall.feeHistory(blocks: Self.feeBlocks)], bounds)
        // A node without the call, or of a chain without a base fee.
        guard let history = try? answers[0].get(), let base = Self.lastNumber(history["baseFeePerGas"]) else {
            let (tenth, _) = price.quotientAndRemainder(dividingBy: 10) ?? (.zero, 0)
            return .legacy(price: price.adding(tenth) ?? price)
        }
        let medians = (history["reward"]?.elements ?? []).compactMap { Self.lastNumber($0) }.sorted()
        let median = medians.isEmpty ? .zero : medians[medians.count / 2]
        let priority = max(median, price.subtracting(base) ?? .zero)
        guard let maximum = base.multiplied(by: 2)?.adding(priority) else {
            throw EndpointFault(endpoint: name, reason: .badQuantity)
        }
        return .dynamic(maximum: maximum, priority: priority)
    }

    private static func lastNumber(_ list: JSONValue?) -> UInt256? {
        list?.elements?.last?.string.flatMap(JSONRPCQuantity.decodeWide)
    }

    /// The answer to a call that is answered with bytes.
    func bytes(_ call: JSONRPCCall, _ bounds: Bounds) async throws(EndpointFault) -> [UInt8] {
        let answers = try await answers(to: [call], bounds)
        do throws(EndpointFault.Reason) {
            guard let bytes = try answers[0].get().string.flatMap(JSONRPCData.decode) else { throw .badWord }
            return bytes
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
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
