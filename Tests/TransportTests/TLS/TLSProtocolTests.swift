import Testing

@testable import Transport

@Suite("The protocol that TLS peers agree on")
struct TLSProtocolTests {
    private func server(prefersHTTP2: Bool) throws -> TLSServerContext {
        let certificates = try TLSCertificates.shared()
        return try TLSServerContext(
            certificateChainFile: certificates.chain(.localhost), privateKeyFile: certificates.key(.localhost),
            prefersHTTP2: prefersHTTP2)
    }

    private func connect(
        _ context: TLSClientContext, to server: TLSServerContext, offersHTTP2: Bool
    ) throws -> TLSHandshakeSummary {
        let pair = try TLSPair(
            client: context.makeClientHandler(serverName: "localhost", port: 443, offersHTTP2: offersHTTP2),
            server: server.makeServerHandler())
        try pair.connect()
        let summary = try #require(pair.client.recorder.handshake)
        #expect(pair.server.recorder.handshake?.alpn == summary.alpn)
        return summary
    }

    @Test(
        "HTTP/2 is agreed on where one side offers it and the other prefers it",
        arguments: [
            (true, true, "h2"), (true, false, "http/1.1"), (false, true, "http/1.1"), (false, false, "http/1.1"),
        ])
    func choice(offered: Bool, preferred: Bool, chosen: String) throws {
        #expect(try connect(.fresh(), to: server(prefersHTTP2: preferred), offersHTTP2: offered).alpn == chosen)
    }

    @Test("sessions of connections that offered HTTP/2 resume no others, nor the other way round")
    func sessions() throws {
        let context = try TLSClientContext.fresh()
        let server = try server(prefersHTTP2: true)
        let resumed = try [true, false, true, false].map { offers in
            let summary = try connect(context, to: server, offersHTTP2: offers)
            #expect(summary.alpn == (offers ? "h2" : "http/1.1"))
            return summary.isResumed
        }
        #expect(resumed == [false, false, true, true])
    }
}
