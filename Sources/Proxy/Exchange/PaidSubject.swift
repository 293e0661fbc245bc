import Ledger
import NIOPosix
import Payments
import Primitives
import RequestFacts
import SystemCrypto
import Transport

/// What a payment would be for, before its fingerprint is known.
struct PaidSubject: Sendable {
    let agent: Agent
    let claim: AgentClaim
    let gateway: Gateway
    let method: String
    let target: String
    let content: ReplayContent
    let isChunked: Bool
    let outline: RequestOutline
    let idempotencyKey: Bytes32?
    /// The seller's time by the 402: its Date, and its Age.
    let sellerDate: Timestamp?
    /// Whether the wallet may show the seller who asks before it pays.
    let maySignIn: Bool
    /// Whether the agent wants another purchase of what it bought before.
    let buysAgain: Bool
    /// Whether a cap may limit what the agent spends.
    let isCapped: Bool

    /// Hashes and reads the body, off the event loops when it is large, and names the request.
    func request(on threads: NIOThreadPool, in turns: ReadingTurns) async throws -> PaymentRequest {
        let (bodyHash, model) =
            isQuicklyRead
            ? try readContent()
            : try await turns.take(by: agent.name) { try await threads.runIfActive { try readContent() } }
        return request(bodyHash: bodyHash, model: model)
    }

    /// The request where nothing is known of its body.
    var requestWithoutBody: PaymentRequest { request(bodyHash: .zero, model: .unknown) }

    private func request(bodyHash: Bytes32, model: Fact<String>) -> PaymentRequest {
        let origin = gateway.origin
        var identity = Array("\(agent.name)\n\(gateway.name)\n\(method)\n\(origin)\(target)\n".utf8)
        identity.append(contentsOf: bodyHash.bytes)
        let path = target.prefix { $0 != "?" }
        return PaymentRequest(
            agent: agent, claim: claim, gateway: gateway.name, host: origin.host, site: gateway.terms.site,
            content: PaymentIntent.Request(
                method: method, url: "\(origin)\(path)", model: model, fingerprint: SHA256.hash(identity)),
            target: target, idempotencyKey: idempotencyKey, policy: gateway.policy, sellerDate: sellerDate,
            maySignIn: maySignIn, buysAgain: buysAgain, isCapped: isCapped)
    }

    /// A short body may be compressed, and then takes longer to read than to hash.
    private var isQuicklyRead: Bool { content.isSmall && !outline.isEncoded }

    /// Reads the body once, from memory and from its file, for its hash and for what it says.
    private func readContent() throws -> (hash: Bytes32, model: Fact<String>) {
        let hash = SHA256Stream()
        let reader = ModelReader(outline)
        try content.forEachPiece(isChunked: isChunked) { piece in
            hash.absorb(piece)
            reader.absorb(piece.span)
        }
        return (hash.finish(), reader.finish())
    }
}
