import Chain
import Ethereum
import NIOCore
import NIOPosix
import Payments
import Primitives
import Synchronization
import TestSupport
import Testing
import Transport

@testable import Daemon

@Suite("Allowances before payments")
struct AllowanceWatchTests {
    private static let owner = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0x1234)))
    private static let token = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0xabcd)))

    /// Runs a body with a witness at a node that plays this token.
    private func run(
        _ token: FakeToken, clock: FixedClock, _ body: (AllowanceWatch) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let node = try await RPCNode(group: group) { token.answer($0, $1) }
        let client = BoundedClient(loop: group.next(), tls: try TLSClientContext(trustFile: nil))
        let reader = try ChainReader(
            chainID: 56, endpoints: [ChainEndpoint("http://127.0.0.1:\(node.port)")], finality: .confirmations(1),
            client: client)
        let outcome: Result<Void, any Error>
        do {
            try await body(AllowanceWatch(reader: reader, clock: clock))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        client.closeIdle()
        try await node.stop()
        try await group.shutdownGracefully()
        try outcome.get()
    }

    @Test("an allowance is remembered for as long as it may be old, and read anew behind that or once forgotten")
    func memory() async throws {
        let clock = FixedClock()
        let token = FakeToken(time: clock.now().seconds) { $0.allowance = UInt256(25) }
        try await run(token, clock: clock) { watch async throws in
            func read(_ age: Int64) async throws -> UInt256 {
                try await watch.allowance(
                    owner: Self.owner, token: Self.token, spender: Permit2.address, maximumAge: age
                ).amount
            }
            #expect(try await read(60) == UInt256(25))
            token.state.withLock { $0.allowance = UInt256(1) }
            clock.advance(seconds: 30)
            #expect(try await read(30) == UInt256(25))
            #expect(try await read(29) == UInt256(1))
            token.state.withLock { $0.allowance = UInt256(2) }
            #expect(try await read(60) == UInt256(1))
            await watch.forget(owner: Self.owner)
            #expect(try await read(60) == UInt256(2))
        }
    }

    @Test("whoever asks while a reading is under way gets its answer")
    func shared() async throws {
        let clock = FixedClock()
        let token = FakeToken(time: clock.now().seconds) { $0.allowance = UInt256(25) }
        try await run(token, clock: clock) { watch async throws in
            let amounts = try await withThrowingTaskGroup(of: UInt256.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await watch.allowance(
                            owner: Self.owner, token: Self.token, spender: Permit2.address, maximumAge: 60
                        ).amount
                    }
                }
                var amounts: [UInt256] = []
                for try await amount in group { amounts.append(amount) }
                return amounts
            }
            #expect(amounts == [UInt256](repeating: UInt256(25), count: 20))
        }
        #expect(token.state.withLock { $0.calls } == 1)
    }

    @Test("the next permit and the next transaction have their numbers")
    func numbers() async throws {
        let clock = FixedClock()
        let token = FakeToken(time: clock.now().seconds) { $0.permits = 3 }
        try await run(token, clock: clock) { watch async throws in
            #expect(try await watch.permitNonce(owner: Self.owner, token: Self.token) == UInt256(3))
            #expect(try await watch.nextTransactionNumber(of: Self.owner) == 7)
            // What a facilitator is given must not wait for others, which may never come.
            token.state.withLock { $0.pending = 1 }
            await #expect(throws: ApprovalFailure.self) {
                try await watch.nextTransactionNumber(of: Self.owner)
            }
        }
    }

    @Test("what cannot be read is thrown, and read again the next time")
    func failure() async throws {
        let clock = FixedClock()
        let token = FakeToken(time: clock.now().seconds) { $0.chainID = 1 }
        try await run(token, clock: clock) { watch async throws in
            await #expect(throws: ChainError.self) {
                try await watch.allowance(
                    owner: Self.owner, token: Self.token, spender: Permit2.address, maximumAge: 60)
            }
            token.state.withLock { $0.chainID = 56 }
            let reading = try await watch.allowance(
                owner: Self.owner, token: Self.token, spender: Permit2.address, maximumAge: 60)
            #expect(reading.amount == .zero && reading.block == 100)
        }
    }
}
