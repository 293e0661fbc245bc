import Chain
import Daemon
import Ledger
import Logging
import NIOCore
import NIOPosix
import Policy
import Primitives
import Proxy
import TestSupport
import Testing
import Transport

struct RunningDaemonTests {
    @Test("a daemon that starts reads the fate of unproven payments from the chain and books it")
    func proof() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        let folder = try TemporaryFolder()
        let store = InMemoryLedger()
        try await store.add(.sample(caps: [CapLimit(.lifetime, .cents(500))]))
        let intents = (1...3).map { PaymentIntent.sample($0, validFor: $0 == 3 ? 3600 : 300) }
        for intent in intents { try await store.reserve(intent, at: .vectors) }

        let now = Timestamp.vectors.adding(seconds: 600)
        let nonce = intents[0].terms.nonce
        let nodes = [
            try await RPCNode(used: [nonce], time: now.seconds, group: group),
            try await RPCNode(used: [nonce], time: now.seconds, group: group),
        ]
        let configuration = try read(
            """
            chains:
              "eip155:42161":
                rpc: [\(nodes.map { "\"http://127.0.0.1:\($0.port)/key\"" }.joined(separator: ", "))]
            """
        ).get()
        let parts = RunningDaemon.Parts(
            places: [.address(host: "127.0.0.1", port: 0)], gateways: [], wallets: [], table: configuration.assets,
            trustFile: nil, replay: ReplayLimits(memory: 1 << 20, total: 1 << 20, folder: folder.path),
            replayMemory: 1 << 20, chains: configuration.chains, overdue: configuration.overduePolicy)
        let daemon = try await RunningDaemon.start(
            parts, ledger: store, group: group, threads: threads, clock: FixedClock(now),
            random: SeededRandom(seed: 1), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var states: [PaymentState] = []
        for _ in 0..<500 {
            states = try await store.payments(PaymentFilter()).reversed().map(\.state)
            if states[0] == .confirmed, states[1] == .released { break }
            try await Task.sleep(for: .milliseconds(10))
        }
        // The third lives on: its nonce is unused, and its window is open.
        #expect(states == [.confirmed, .released, .inDoubt])
        await daemon.stop()
        for node in nodes { try await node.stop() }
        try await group.shutdownGracefully()
        try await threads.shutdownGracefully()
    }
}
