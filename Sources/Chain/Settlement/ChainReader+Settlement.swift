package import Primitives

extension ChainReader {
    /// What a payment of scheme `upto` moved, as of a final block that the endpoints agree on.
    ///
    /// The transaction that the question names is looked at first. When it is not the one, or none is named, transfers
    /// from payer to payee are looked for within `search`; without one they are not. Permit2 has no event for a nonce
    /// that a transfer uses up, so ``SettledAmount/Binding`` says how a transaction is tied to it. `now` is the local clock.
    package func settlement(
        of question: SettlementQuestion, search: TransferSearch? = .standard, at now: Timestamp
    ) async throws(ChainError) -> SettlementFinding {
        let bounds = bounds(now)
        let state = try await answers(to: [StateQuestion(question.probe)], at: .final, bounds)
        guard let isUsed = state.values.first ?? nil else { return .unknown(.unread) }
        guard isUsed else { return .unused(block: state.block.number) }
        var doubt = SettlementFinding.Doubt.notFound
        if let named = question.transaction {
            let facts = try await transactions([named], for: question, final: state.block, bounds)
            if let facts = facts.first ?? nil {
                let finding = try await finding(facts, question, final: state.block, bounds)
                guard case .unknown(let reason) = finding else { return finding }
                doubt = reason
            }
        }
        guard let search else { return .unknown(doubt) }
        let found = try await lookFor(question, search, final: state.block, bounds)
        if case .unknown(.notFound) = found { return .unknown(doubt) }
        return found
    }

    /// What one transaction shows about a payment whose nonce is used as of the final block.
    private func finding(
        _ facts: TransactionFacts, _ question: SettlementQuestion, final: ChainBlock, _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> SettlementFinding {
        guard facts.block <= final.number else { return .unknown(.notFinal) }
        guard facts.succeeded else { return .unknown(.reverted) }
        guard let transfer = facts.transfers.first else { return .unknown(.noTransfer) }
        let block = try await agreed(about: facts.block) { reader async throws(EndpointFault) in
            try await reader.block(facts.block, bounds)
        }
        // A transaction of a block that is not on the final chain has not happened.
        guard block.hash == facts.blockHash else { return .unknown(.notFinal) }
        func settled(_ binding: SettledAmount.Binding) -> SettlementFinding {
            .settled(
                SettledAmount(
                    amount: transfer.amount, transaction: facts.hash, block: block.number, time: block.time,
                    binding: binding))
        }
        if facts.to == question.spender {
            guard let call = SettleCall(facts.input), call.settles(question) else { return .unknown(.foreign) }
            guard facts.transfers.count == 1, transfer.amount == call.amount, call.amount <= question.maximum else {
                return .unknown(.contradictory)
            }
            return settled(.call)
        }
        if let doubt = try await doubtOfBlock(block, question, final: final, bounds) { return .unknown(doubt) }
        guard transfer.amount <= question.maximum else { return .unknown(.contradictory) }
        return settled(.block)
    }

    /// Why it is not certain that the only transfer on the route in this block is the one that used the nonce; nil when
    /// it is certain.
    private func doubtOfBlock(
        _ block: ChainBlock, _ question: SettlementQuestion, final: ChainBlock, _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> SettlementFinding.Doubt? {
        guard block.number > 0 else { return .noHistory }
        var states: [Bool] = []
        for number in [block.number - 1, block.number] {
            do throws(ChainError) {
                let answers = try await answers(to: [StateQuestion(question.probe)], at: .number(number), bounds)
                guard let isUsed = answers.values.first ?? nil else { return .noHistory }
                states.append(isUsed)
            } catch {
                // Most nodes keep old blocks and throw old states away.
                guard case .tooFewAnswers = error else { throw error }
                return .noHistory
            }
        }
        guard states == [false, true] else { return .foreign }
        let page = try await agreed(about: block.number) { reader async throws(EndpointFault) in
            try await reader.transfers(on: question.route, in: block.number...block.number, bounds)
        }
        return page.events.count == 1 ? nil : .ambiguous
    }

    /// Looks for the transaction behind a used nonce among the transfers from payer to payee.
    private func lookFor(
        _ question: SettlementQuestion, _ search: TransferSearch, final: ChainBlock, _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> SettlementFinding {
        let events = try await events(of: question, search, final: final, bounds)
        var hashes: [Bytes32] = []
        for event in events where !hashes.contains(event.transaction) { hashes.append(event.transaction) }
        let facts = try await transactions(hashes, for: question, final: final, bounds).compactMap(\.self)
        let direct = facts.filter { $0.to == question.spender && SettleCall($0.input)?.settles(question) == true }
        var doubt = SettlementFinding.Doubt.notFound
        // Calls of the proxy that name other payments cannot be the one.
        for facts in direct + facts.filter({ $0.to != question.spender }).prefix(Self.indirectLimit) {
            let finding = try await finding(facts, question, final: final, bounds)
            guard case .unknown(let reason) = finding else { return finding }
            if reason != .foreign { doubt = reason }
        }
        return .unknown(doubt)
    }

    /// Transactions through other contracts that one search looks into: each takes three questions.
    private static let indirectLimit = 10

    /// The transfers on the route while the payment could settle, newest first, as far as the bounds of the search reach.
    private func events(
        of question: SettlementQuestion, _ search: TransferSearch, final: ChainBlock, _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> [TransferEvent] {
        var top = try await lastBlock(through: question.window.upperBound, search, final: final, bounds)
        var events: [TransferEvent] = []
        for _ in 0..<search.calls {
            let range = top - min(top, search.blocksPerCall - 1)...top
            let page = try await agreed(about: top) { reader async throws(EndpointFault) in
                try await reader.transfers(on: question.route, in: range, bounds)
            }
            events += page.events.reversed()
            guard page.first.time >= question.window.lowerBound, range.lowerBound > 0,
                events.count < TransferSearch.transferLimit
            else { break }
            top = range.lowerBound - 1
        }
        return Array(events.prefix(TransferSearch.transferLimit))
    }

    /// A block not much behind the last one whose time is in the payment's window.
    private func lastBlock(
        through end: Int64, _ search: TransferSearch, final: ChainBlock, _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> UInt64 {
        var high = final.number
        var low: UInt64 = 0
        // Near enough: a search that begins within half of one call's blocks behind the end loses nothing.
        while high - low > search.blocksPerCall / 2, final.time > end {
            let middle = low + (high - low) / 2
            let block = try await agreed(about: middle) { reader async throws(EndpointFault) in
                try await reader.block(middle, bounds)
            }
            if block.time > end { high = middle } else { low = middle }
        }
        return high
    }

    private func transactions(
        _ hashes: [Bytes32], for question: SettlementQuestion, final: ChainBlock, _ bounds: EndpointReader.Bounds
    ) async throws(ChainError) -> [TransactionFacts?] {
        try await agreed(about: final.number) { reader async throws(EndpointFault) in
            try await reader.transactions(hashes, on: question.route, bounds)
        }
    }
}
