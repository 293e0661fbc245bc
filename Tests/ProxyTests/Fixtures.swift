import Ledger
import NIOCore
import Primitives
import SystemCrypto
import TestSupport
import Transport
import X402

@testable import Payments
@testable import Proxy

extension RequestHead {
    /// A request with these field lines.
    static func sample(
        _ line: String = "GET /lab/a HTTP/1.1", _ fields: String..., token: String? = nil
    ) throws -> RequestHead {
        try sample([line] + fields + (token.map { ["Authorization: Bearer \($0)"] } ?? []))
    }

    /// A request with these lines.
    static func sample(_ lines: [String]) throws -> RequestHead {
        let all = [lines[0], "Host: 127.0.0.1:4020"] + lines.dropFirst()
        return try RequestHead(ByteBuffer(string: all.joined(separator: "\r\n") + "\r\n\r\n"))
    }
}

extension ResponseHead {
    /// A response with these field lines.
    static func sample(_ status: Int = 200, _ fields: String...) throws -> ResponseHead {
        let lines = ["HTTP/1.1 \(status) Reason"] + fields
        return try ResponseHead(ByteBuffer(string: lines.joined(separator: "\r\n") + "\r\n\r\n"))
    }
}

extension Gateway {
    static func sample(
        _ name: String = "lab", host: String = "api.example.com", basePath: String = "", paths: [String] = [],
        credential: Credential? = nil, redirectHosts: Set<String> = []
    ) -> Gateway {
        Gateway(
            name: name, origin: Origin(isSecure: true, host: host, port: 443), basePath: basePath, paths: paths,
            credential: credential, redirectHosts: redirectHosts, timeouts: .standard)
    }
}

extension Gateway.Credential {
    static func sample(_ field: Field, _ key: String) throws -> Gateway.Credential {
        var bytes = Array(key.utf8)
        return Gateway.Credential(field: field, secret: try SecretBytes.copyAndWipe(&bytes))
    }
}

extension AuthorizedPayment {
    /// A payment of one cent in USDT.
    static func sample(usage: [CapUsage] = [], state: PaymentState = .reserved) -> AuthorizedPayment {
        let intent = PaymentIntent.sample(1)
        return AuthorizedPayment(
            id: intent.id, header: .sample, terms: intent.terms, signature: [], usage: usage, answerWithin: 60,
            isAdopted: state != .reserved, state: state, heldUntil: nil, fingerprint: .numbered(2),
            trustsPartial: false,
            signers: PinnedSigners())
    }
}

extension PaymentHeader {
    static var sample: PaymentHeader {
        .version2(payload: Array("{}".utf8), accepted: Array("{}".utf8), resource: nil, extensions: nil)
    }
}

/// A well-formed token.
let token = AgentToken.make(random: .numbered(5))
/// Another agent's token.
let other = AgentToken.make(random: .numbered(6))
