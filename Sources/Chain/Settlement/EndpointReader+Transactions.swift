import Primitives

extension EndpointReader {
    /// Transactions of one batch, each with its receipt.
    private static let transactionBatch = 5

    /// What this endpoint knows of transactions; nil for one that is in no block.
    func transactions(
        _ hashes: [Bytes32], on route: TransferRoute, _ bounds: Bounds
    ) async throws(EndpointFault) -> [TransactionFacts?] {
        var facts: [TransactionFacts?] = []
        while facts.count < hashes.count {
            let batch = hashes[facts.count..<min(facts.count + Self.transactionBatch, hashes.count)]
            let answers = try await answers(
                to: batch.flatMap { [NodeCall.transaction($0), NodeCall.receipt($0)] }, bounds)
            for (index, hash) in batch.enumerated() {
                do throws(EndpointFault.Reason) {
                    facts.append(
                        try TransactionFacts(
                            hash, transaction: answers[2 * index].get(), receipt: answers[2 * index + 1].get(),
                            route: route))
                } catch {
                    throw EndpointFault(endpoint: name, reason: error)
                }
            }
        }
        return facts
    }

    /// A block by its number.
    func block(_ number: UInt64, _ bounds: Bounds) async throws(EndpointFault) -> ChainBlock {
        let answers = try await answers(to: [NodeCall.block(JSONRPCQuantity.encode(number))], bounds)
        return try block(answers[0], number: number, bounds)
    }

    /// What moved on a route in a range of blocks, and the first of these blocks.
    func transfers(
        on route: TransferRoute, in blocks: ClosedRange<UInt64>, _ bounds: Bounds
    ) async throws(EndpointFault) -> TransferPage {
        let answers = try await answers(
            to: [NodeCall.block(JSONRPCQuantity.encode(blocks.lowerBound)), NodeCall.transfers(route, in: blocks)],
            bounds)
        let first = try block(answers[0], number: blocks.lowerBound, bounds)
        do throws(EndpointFault.Reason) {
            let events = try TransferEvent.all(in: answers[1].get(), on: route)
            guard events.allSatisfy({ blocks.contains($0.block) }) else { throw .badTransaction }
            return TransferPage(first: first, events: events)
        } catch {
            throw EndpointFault(endpoint: name, reason: error)
        }
    }
}

/// The transfers in a range of blocks.
struct TransferPage: Hashable, Sendable {
    /// The range's first block.
    let first: ChainBlock
    /// What moved, oldest first.
    let events: [TransferEvent]
}
