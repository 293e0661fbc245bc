import Ethereum
import NIOCore
import NIOPosix
import Primitives
import Transport

@testable import Chain

/// Nodes, and a reader that asks them.
struct ChainLab {
    let nodes: [ScriptedNode]
    let reader: ChainReader
    let client: BoundedClient

    /// The local clock of all tests: later than any honest block.
    static let now = Timestamp(seconds: 1_700_002_000)
    /// The chain of all tests.
    static let chainID: UInt64 = 421_614

    /// Settings of one lab.
    struct Options {
        var finality = ChainFinality.finalized
        var agreement = ChainAgreement.all
        var blocksPerSecond = ChainReader.standardBlocksPerSecond
        var limits = ChainLimits.standard
        /// The path and query of the endpoints.
        var target = "/v2/0123456789abcdef?key=fedcba9876543210"
        /// Endpoints besides the nodes.
        var more: [String] = []
    }

    /// Runs a body with a reader of these nodes.
    static func run(
        _ chains: [FakeChain], _ options: Options = Options(), _ body: (ChainLab) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let client = BoundedClient(loop: group.next(), tls: try TLSClientContext(trustFile: nil))
        var nodes: [ScriptedNode] = []
        for chain in chains { nodes.append(try await ScriptedNode(chain)) }
        let urls = nodes.map { "http://127.0.0.1:\($0.port)\(options.target)" } + options.more
        let reader = try ChainReader(
            chainID: chainID, endpoints: urls.map { url in try ChainEndpoint(url) }, finality: options.finality,
            agreement: options.agreement, blocksPerSecond: options.blocksPerSecond, client: client,
            limits: options.limits)
        let outcome: Result<Void, any Error>
        do {
            try await body(ChainLab(nodes: nodes, reader: reader, client: client))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        client.closeIdle()
        for node in nodes { try await node.stop() }
        try await group.shutdownGracefully()
        try outcome.get()
    }

    /// The name of a node as errors show it.
    func name(_ index: Int) -> String { "127.0.0.1:\(nodes[index].port)" }

    /// Reads, and returns what it comes to.
    func outcome(
        _ probes: [AuthorizationProbe] = [Probes.token], at now: Timestamp = now
    ) async -> Result<ChainReading, ChainError> {
        do throws(ChainError) { return .success(try await reader.read(probes, at: now)) } catch {
            return .failure(error)
        }
    }

    /// What was wrong with the only node's answer; nil when nothing was.
    func fault(_ probes: [AuthorizationProbe] = [Probes.token]) async -> EndpointFault.Reason? {
        guard case .failure(.tooFewAnswers(_, _, let faults)) = await outcome(probes) else { return nil }
        return faults.first?.reason
    }

    /// One reading of one node.
    static func fault(
        of chain: FakeChain, _ options: Options = Options(), _ probes: [AuthorizationProbe] = [Probes.token]
    ) async throws -> EndpointFault.Reason? {
        var reason: EndpointFault.Reason?
        try await run([chain], options) { reason = await $0.fault(probes) }
        return reason
    }
}

extension Result {
    /// The error, when there is one.
    var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}

/// Authorizations that are looked up.
enum Probes {
    /// Kept by a token.
    static let token = make(0, .eip3009)
    /// Kept by Permit2.
    static let permit2 = make(0, .permit2)

    static func make(_ nonce: UInt64, _ kind: AuthorizationProbe.Kind) -> AuthorizationProbe {
        AuthorizationProbe(
            token: Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0xabcd))),
            authorizer: Address(lastBytesOf: Bytes32(words: (0, 0, 0, 0x1234))),
            nonce: Bytes32(words: (0, 0, 7, nonce)), kind: kind)
    }

    /// The data of a probe's call as text.
    static func data(_ probe: AuthorizationProbe) -> String { Hex.prefixed(AuthorizationCall.data(for: probe)) }

    /// The text of a result with one word.
    static func word(_ value: UInt256) -> String { "\"\(value.bigEndianBytes)\"" }
}
