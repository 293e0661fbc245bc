package import Ethereum
package import Primitives

extension ChainReader {
    /// What a spender may move of an owner's tokens, in atomic units, as of the newest block that the endpoints share.
    package func allowance(
        owner: Address, token: Address, spender: Address, at now: Timestamp
    ) async throws(ChainError) -> AccountNumber {
        try await number(of: token, ERC20.allowance(owner: owner, spender: spender), at: now)
    }

    /// What an account has of a token, in atomic units, as of the newest block that the endpoints share.
    package func tokenBalance(
        owner: Address, token: Address, at now: Timestamp
    ) async throws(ChainError) -> AccountNumber {
        try await number(of: token, ERC20.balance(of: owner), at: now)
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
        ].map { StateQuestion(number: token, $0) }
        let answers = try await answers(to: questions, at: .latest, bounds(now))
        let values = answers.values.compactMap(\.self)
        guard values.count == questions.count else { throw tooFew(answers.leftOut) }
        return TokenStanding(balance: values[0], allowance: values[1], decimals: values[2], block: answers.block)
    }

    /// The number of an account's next transaction.
    ///
    /// What is in blocks is read at one block that the endpoints agree on. What is on its way besides each endpoint sees for
    /// itself; enough of them have to see the same, and none anything else. Throws ``ChainError/differentNumbers(_:)`` when
    /// one does.
    package func nextTransaction(of account: Address, at now: Timestamp) async throws(ChainError) -> NextTransaction {
        let bounds = bounds(now)
        let mined = try await answers(to: [.transactionCount(of: account)], at: .latest, bounds)
        guard let count = mined.values.first ?? nil else { throw tooFew(mined.leftOut) }
        let answers: [Result<UInt64, EndpointFault>] = await ask { index in
            do throws(EndpointFault) {
                return .success(try await self.readers[index].pendingTransactionCount(of: account, bounds))
            } catch {
                return .failure(error)
            }
        }
        try require(answers)
        var names: [UInt64: [String]] = [:]
        for (reader, answer) in zip(readers, answers) {
            // Some nodes know no pending state and answer with less than what is in blocks.
            if case .success(let pending) = answer { names[max(pending, count), default: []].append(reader.name) }
        }
        guard names.count == 1, let number = names.first?.key else {
            throw .differentNumbers(
                names.sorted { $0.key < $1.key }.map { ChainError.Camp(number: $0.key, names: $0.value) })
        }
        return NextTransaction(number: number, mined: count, block: mined.block)
    }

    /// What an account has of the chain's own coin, in wei, as of the newest block that the endpoints share.
    package func coinBalance(of account: Address, at now: Timestamp) async throws(ChainError) -> UInt256 {
        let answers = try await answers(to: [.coinBalance(of: account)], at: .latest, bounds(now))
        guard let value = answers.values.first ?? nil else { throw tooFew(answers.leftOut) }
        return value
    }

    private func number(
        of contract: Address, _ data: [UInt8], at now: Timestamp
    ) async throws(ChainError) -> AccountNumber {
        let answers = try await answers(to: [StateQuestion(number: contract, data)], at: .latest, bounds(now))
        guard let value = answers.values.first ?? nil else { throw tooFew(answers.leftOut) }
        return AccountNumber(value: value, block: answers.block)
    }

    func tooFew(_ faults: [EndpointFault]) -> ChainError {
        .tooFewAnswers(count: readers.count - Set(faults.map(\.endpoint)).count, needed: needed, faults: faults)
    }
}

extension EndpointReader {
    /// How many transactions of an account this endpoint knows, those counted that are sent and in no block yet.
    func pendingTransactionCount(of account: Address, _ bounds: Bounds) async throws(EndpointFault) -> UInt64 {
        let count = try await quantities([NodeCall.transactionCount(account, "pending")], bounds)[0].uint64
        guard let count, count < .max - 1 else { throw EndpointFault(endpoint: name, reason: .badQuantity) }
        return count
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
