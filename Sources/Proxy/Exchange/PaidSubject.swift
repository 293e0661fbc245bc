import Ledger
import NIOPosix
import Payments
import Primitives
import SystemCrypto
import Transport

/// What a payment would be for, before its fingerprint is known.
struct PaidSubject: Sendable {
    let agent: Agent
    let gateway: String
    let method: String
    let origin: Origin
    let target: String
    let content: ReplayContent
    let isChunked: Bool

    /// Hashes the body, off the event loops when it is large, and names the request.
    func request(on threads: NIOThreadPool) async throws -> PaymentRequest {
        let bodyHash =
            content.isSmall
            ? try content.contentHash(isChunked: isChunked)
            : try await threads.runIfActive { try content.contentHash(isChunked: isChunked) }
        var identity = Array("\(agent.name)\n\(method)\n\(origin)\(target)\n".utf8)
        identity.append(contentsOf: bodyHash.bytes)
        let path = target.prefix { $0 != "?" }
        return PaymentRequest(
            agent: agent, gateway: gateway, method: method, url: "\(origin)\(path)",
            fingerprint: SHA256.hash(identity))
    }
}
