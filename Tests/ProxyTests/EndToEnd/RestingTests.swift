import NIOCore
import Proxy
import Testing
import Transport

@Suite("A gateway that cannot be reached", .mayBlock)
struct RestingTests {
    @Test("it rests after five tries, is told apart from other failures, and is tried again", arguments: [false, true])
    func rest(isSecure: Bool) async throws {
        let upstream = try ScriptedUpstream.serving { _ in Respond.with(200) }
        var options = Lab.Options()
        options.isSecure = isSecure
        // Nobody listens there.
        options.upstreamPort = 1
        try await Lab.run(options, upstream) { lab async throws in
            for _ in 0..<CircuitBreaker.threshold {
                let response = try lab.exchange("GET", "/lab/x")
                #expect(response.status == 502 && response.text.contains("gateway-unreachable"))
            }
            let resting = try lab.exchange("GET", "/lab/x")
            #expect(resting.status == 503 && resting.text.contains("\"gateway-resting\""))
            #expect(resting["retry-after"] == ["1"] && resting.text.contains("\"retryable\":true"))
            Threads.pause(milliseconds: 1100)
            #expect(try lab.exchange("GET", "/lab/x").status == 502)
            #expect(try lab.exchange("GET", "/lab/x")["retry-after"] == ["2"])
        }
    }
}
