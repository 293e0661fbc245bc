import Ledger
import Proxy
import TestSupport
import Testing

@Suite("Methods", .mayBlock)
struct MethodTests {
    private static func options(_ methods: Set<String> = Gateway.Credential.usualMethods) -> Lab.Options {
        var options = Lab.Options()
        options.key = (.authorization, "gateway-key")
        options.keyMethods = methods
        return options
    }

    /// Answers with the request itself.
    private static var echo: ScriptedUpstream {
        get throws { try ScriptedUpstream.serving { Respond.with(200, body: $0.head) } }
    }

    @Test(
        "the gateway's key goes with the usual methods",
        arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    func usual(method: String) async throws {
        try await Lab.run(Self.options(), try Self.echo) { lab async throws in
            #expect(try lab.exchange(method, "/lab/x").text.contains("authorization: Bearer gateway-key"))
        }
    }

    @Test(
        "and with no other, which a server may answer with the request itself",
        arguments: ["TRACK", "DEBUG", "PROPFIND", "MADE-UP", "Made-Up", "x"])
    func others(method: String) async throws {
        try await Lab.run(Self.options(), try Self.echo) { lab async throws in
            let answer = try lab.exchange(method, "/lab/x", ["x-api-key: own"])
            #expect(answer.status == 200 && answer.text.hasPrefix("\(method) /x"))
            #expect(!answer.text.contains("gateway-key") && answer.text.contains("x-api-key: own"))
            #expect(!answer.text.contains(Lab.token))
        }
    }

    @Test("a gateway's entry says which methods carry its key")
    func configured() async throws {
        try await Lab.run(Self.options(["SEARCH"]), try Self.echo) { lab async throws in
            #expect(try lab.exchange("SEARCH", "/lab/x").text.contains("gateway-key"))
            #expect(try !lab.exchange("GET", "/lab/x").text.contains("gateway-key"))
        }
    }

    @Test(
        "a challenge to another method is not paid: it passes with the reason, and is in the books",
        arguments: ["TRACK", "QUERY"])
    func unpaid(method: String) async throws {
        try await Lab.run(try Seller.serving(Respond.with(200))) { lab async throws in
            let answer = try lab.exchange(method, "/lab/x")
            #expect(answer.status == 402 && answer["payment-required"].count == 1)
            #expect(answer.text.contains("\"method-not-paid\""))
            #expect(try await lab.payment().evidence.reason == "method-not-paid")
        }
    }
}
