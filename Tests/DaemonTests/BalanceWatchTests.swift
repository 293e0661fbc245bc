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

/// How many have asked.
private final class Crowd: Sendable {
    private let count = Atomic<Int>(0)

    func enter() { count.wrappingAdd(1, ordering: .releasing) }

    /// Waits, blocking, until ten have asked, and a moment longer.
    func wait() {
        while count.load(ordering: .acquiring) < 10 {}
        let end = ContinuousClock.now + .milliseconds(50)
        while ContinuousClock.now < end {}
    }
}

@Suite("Balances after rejections")
struct BalanceWatchTests {
    @Test("a balance is read from the chain each time, once for all who ask meanwhile, and a wrong chain shows nothing")
    func balance() async throws {
        let clock = FixedClock()
        let token = FakeToken(time: clock.now().seconds) { $0.balance = UInt256(41) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let crowd = Crowd()
        let node = try await RPCNode(group: group) { method, parameters in
            // The answer comes once everybody has asked.
            crowd.wait()
            return token.answer(method, parameters)
        }
        let client = BoundedClient(loop: group.next(), tls: try TLSClientContext(trustFile: nil))
        let reader = try ChainReader(
            chainID: 56, endpoints: [ChainEndpoint("http://127.0.0.1:\(node.port)")], finality: .confirmations(1),
            client: client)
        let watch = BalanceWatch(reader: reader, clock: clock)
        let owner = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0x1234)))
        let contract = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0xabcd)))
        await withTaskGroup(of: UInt256?.self) { tasks in
            for _ in 0..<10 {
                tasks.addTask {
                    crowd.enter()
                    return try? await watch.balance(owner: owner, token: contract).amount
                }
            }
            for await amount in tasks { #expect(amount == UInt256(41)) }
        }
        #expect(token.state.withLock { $0.calls } == 1)
        token.state.withLock { $0.balance = UInt256(42) }
        #expect(try await watch.balance(owner: owner, token: contract).amount == UInt256(42))
        token.state.withLock { $0.chainID = 1 }
        await #expect(throws: ChainError.self) { try await watch.balance(owner: owner, token: contract) }
        client.closeIdle()
        try await node.stop()
        try await group.shutdownGracefully()
    }
}
