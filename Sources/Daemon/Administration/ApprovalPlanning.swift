package import Chain
package import Ethereum
import NIOCore
import NIOPosix
import Policy
package import Primitives
import Transport
import X402

/// Gives allowances: works out what it takes, and sends it.
package struct ApprovalDesk: Sendable {
    /// The chain.
    let reader: ChainReader
    /// Spenders besides Permit2.
    let allowed: Set<Address>
    let clock: any WallClock

    /// Lends a desk at a configured chain for as long as the body runs.
    ///
    /// Throws ``OperatorMistake`` where the configuration has no endpoint of the network.
    package static func open<Value>(
        _ network: String, _ configuration: Configuration, state: StateDirectory, clock: any WallClock,
        _ body: (ApprovalDesk) async throws -> Value
    ) async throws -> Value {
        guard let chain = configuration.chains.first(where: { $0.network == network }) else {
            throw OperatorMistake(
                "the configuration has no `chains` entry for \(network): it says which endpoints to ask")
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let outcome: Result<Value, any Error>
        do {
            let tls = try TLSClientContext(trustFile: configuration.trustFile.map(state.path))
            let client = BoundedClient(loop: group.next(), tls: tls)
            let reader = try ChainReader(
                chainID: chain.chainID, endpoints: chain.endpoints, finality: chain.finality,
                agreement: chain.agreement, blocksPerSecond: chain.blocksPerSecond, client: client)
            let desk = ApprovalDesk(reader: reader, allowed: chain.spenders, clock: clock)
            outcome = .success(try await body(desk))
            client.closeIdle()
        } catch {
            outcome = .failure(error)
        }
        try await group.shutdownGracefully()
        return try outcome.get()
    }

    /// What an owner has of a token, and what a spender may move of it.
    package func standing(
        of owner: Address, token: Address, spender: Address
    ) async throws(ChainError) -> TokenStanding {
        try await reader.standing(owner: owner, token: token, spender: spender, at: clock.now())
    }

    /// Works out what an order takes.
    ///
    /// Throws ``ApprovalFailure`` for what would not be signed, and ``ChainError`` when the chain cannot be read.
    package func plan(_ order: ApprovalOrder, owner: Address) async throws -> ApprovalPlan {
        let standing = try await standing(of: owner, token: order.token.address, spender: order.spender)
        guard standing.decimals == UInt256(UInt64(order.token.decimals)) else {
            throw ApprovalFailure.decimals(contract: standing.decimals, table: order.token.decimals)
        }
        let coins = try await reader.coinBalance(of: owner, at: clock.now())
        let next = try await reader.nextTransaction(of: owner, at: clock.now())
        guard standing.allowance != order.amount else {
            return ApprovalPlan(order: order, owner: owner, standing: standing, coins: coins, next: next, steps: [])
        }
        let resets = order.token.approval == .resetToZero && !standing.allowance.isZero && !order.amount.isZero
        let amount = resets ? UInt256.zero : order.amount
        let offer = try await offer(order, owner: owner, amount: amount)
        let first = try approval(order, amount: amount, nonce: next.number, fee: offer.fee, gas: offer.gas)
        var steps = [first]
        if resets {
            // It would revert until the first one is done, so its gas cannot be asked for yet.
            steps.append(
                try approval(
                    order, amount: order.amount, nonce: next.number + 1, fee: first.transaction.fee,
                    gas: first.transaction.gasLimit + Self.fillingGas))
        }
        return ApprovalPlan(order: order, owner: owner, standing: standing, coins: coins, next: next, steps: steps)
    }

    /// What it takes more to write where nothing stood than to clear what stood, with a margin (EIP-2200: 20,000).
    private static let fillingGas: UInt64 = 30_000

    /// The gas and the fee of an approval that the contract would take, as the chain is now.
    func offer(
        _ order: ApprovalOrder, owner: Address, amount: UInt256
    ) async throws -> (gas: UInt64, fee: Transaction.Fee) {
        let token = order.token.address
        let data = ERC20.approve(spender: order.spender, amount: amount)
        let answer = try await reader.simulate(from: owner, to: token, data: data, at: clock.now())
        // Some tokens answer with nothing, all others with true.
        guard answer.isEmpty || Bytes32(answer).map({ UInt256(bigEndian: $0) }) == UInt256(1) else {
            throw ApprovalFailure.refusedBySimulation
        }
        let gas = try await reader.gas(from: owner, to: token, data: data, at: clock.now())
        let fee = try await reader.fee(at: clock.now())
        // A quarter more: the state that it was estimated on may change before it is in a block.
        return (gas <= .max / 2 ? gas + gas / 4 : gas, fee)
    }

    /// One transaction of an order, checked.
    func approval(
        _ order: ApprovalOrder, amount: UInt256, nonce: UInt64, fee: Transaction.Fee, gas: UInt64
    ) throws -> ApprovalTransaction {
        do throws(ApprovalRefusal) {
            return try ApprovalTransaction(
                token: order.token, spender: order.spender, amount: amount, allowed: allowed, nonce: nonce, fee: fee,
                gas: gas, costLimit: order.costLimit)
        } catch {
            throw ApprovalFailure.refused(error)
        }
    }
}
