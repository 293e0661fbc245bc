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

@Suite("Balances after rejections")
struct BalanceWatchTests {
    @Test("a balance is read from the chain each time, once for all who ask meanwhile, and a wrong chain shows nothing")
    func balance() async throws {
        let clock = FixedClock()
        let token = FakeToken(time: clock.now().seconds) { $0.balance = UInt256(41) }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let node = try await RPCNode(group: group) { token.answer($0, $1) }
        let client = BoundedClient(loop: group.next(), tls: try TLSClientContext(trustFile: nil))
        let reader = try ChainReader(
            chainID: 56, endpoints: [ChainEndpoint("http://127.0.0.1:\(node.port)")], finality: .confirmations(1),
            client: client)
        let watch = BalanceWatch(reader: reader, clock: clock)
        let owner = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0x1234)))
        let contract = Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0xabcd)))
        await withTaskGroup(of: UInt256?.self) { tasks in
            for _ in 0..<10 { tasks.addTask { try? await watch.balance(owner: owner, token: contract).amount } }
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
