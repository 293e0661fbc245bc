package import Ethereum
package import Primitives

extension ChainReader {
    /// What a spender may move of an owner's tokens, in atomic units, as of the newest block that the endpoints share.
    package func allowance(
        owner: Address, token: Address, spender: Address, at now: Timestamp
    ) async throws(ChainError) -> AccountNumber {
        try await number(of: token, ERC20.allowance(owner: owner, spender: spender), at: now)
    }

    /// The number that the owner's next permit of a token has to carry (EIP-2612, `nonces(address)`).
    package func tokenNonce(
        owner: Address, token: Address, at now: Timestamp
    ) async throws(ChainError) -> AccountNumber {
        try await number(of: token, ERC20.permitNonce(of: owner), at: now)
    }

    /// An owner's balance and allowance, and the token's decimals, in one reading.
    package func standing(
        owner: Address, token: Address, spender: Address, at now: Timestamp
    ) async throws(ChainError) -> TokenStanding {
        let questions = [
            ERC20.balance(of: owner), ERC20.allowance(owner: owner, spender: spender), ERC20.decimals,
        ].map { ContractQuestion(number: token, $0) }
        let answers = try await answers(to: questions, at: .latest, bounds(now))
        let values = answers.values.compactMap(\.self)
        guard values.count == questions.count else { throw tooFew(answers.leftOut) }
        return TokenStanding(balance: values[0], allowance: values[1], decimals: values[2], block: answers.block)
    }

    /// The number of an account's next transaction, those counted that are sent and in no block yet.
    ///
    /// Nodes see different transactions on their way, so the highest of the endpoints' answers is taken; an endpoint that
    /// is more than 64 ahead of what is in blocks is not believed.
    package func pendingTransactionCount(of account: Address, at now: Timestamp) async throws(ChainError) -> UInt64 {
        let bounds = bounds(now)
        let counts: [Result<UInt64, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                return .success(try await self.readers[index].pendingTransactionCount(of: account, bounds))
            } catch {
                return .failure(error)
            }
        }
        try require(counts)
        return counts.compactMap { try? $0.get() }.max() ?? 0
    }

    /// What an account has of the chain's own coin, in wei: the least that any endpoint says.
    package func coinBalance(of account: Address, at now: Timestamp) async throws(ChainError) -> UInt256 {
        let bounds = bounds(now)
        let balances: [Result<UInt256, EndpointFault>] = await ask { index in
            let reader = self.readers[index]
            do throws(EndpointFault) {
                let answers = try await reader.quantities([NodeCall.coinBalance(account)], bounds)
                return .success(answers[0])
            } catch {
                return .failure(error)
            }
        }
        try require(balances)
        return balances.compactMap { try? $0.get() }.min() ?? .zero
    }

    private func number(
        of contract: Address, _ data: [UInt8], at now: Timestamp
    ) async throws(ChainError) -> AccountNumber {
        let answers = try await answers(to: [ContractQuestion(number: contract, data)], at: .latest, bounds(now))
        guard let value = answers.values.first ?? nil else { throw tooFew(answers.leftOut) }
        return AccountNumber(value: value, block: answers.block)
    }

    private func tooFew(_ faults: [EndpointFault]) -> ChainError {
        .tooFewAnswers(count: readers.count - Set(faults.map(\.endpoint)).count, needed: needed, faults: faults)
    }
}

extension EndpointReader {
    /// Transactions on their way that an account is believed to have.
    static let pendingLimit: UInt64 = 64

    func pendingTransactionCount(of account: Address, _ bounds: Bounds) async throws(EndpointFault) -> UInt64 {
        let counts = try await quantities(
            [NodeCall.transactionCount(account, "latest"), NodeCall.transactionCount(account, "pending")], bounds)
        guard let latest = counts[0].uint64, let pending = counts[1].uint64, latest <= .max - Self.pendingLimit,
            pending <= latest + Self.pendingLimit
        else { throw EndpointFault(endpoint: name, reason: .badQuantity) }
        // Some nodes know no pending state and answer with less than what is in blocks.
        return max(latest, pending)
    }

    /// The answers to calls that are answered with numbers, once the endpoint has said that it serves the right chain.
    func quantities(_ calls: [JSONRPCCall], _ bounds: Bounds) async throws(EndpointFault) -> [UInt256] {
        let answers = try await answers(to: [NodeCall.chainID] + calls, bounds)
        do throws(EndpointFault.Reason) {
            let served = try answers[0].get().string.flatMap(JSONRPCQuantity.decode)
            guard served == chainID else { throw .wrongChain(served) }
            var numbers: [UInt256] = []
            for answer in answers.dropFirst() {
                guard let number = try answer.get().string.flatMap(JSONRPCQuantity.decodeWide) else {
                    throw .badQuantity
                }
                numbers.append(number)
            }
            return numbers
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }
}
