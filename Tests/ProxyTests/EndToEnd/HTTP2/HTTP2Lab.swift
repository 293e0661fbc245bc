import NIOCore
import Proxy
import TestSupport
import Testing

/// A lab whose gateway speaks HTTP/2.
enum HTTP2Lab {
    /// Runs a test in front of a scripted gateway with so many streams to a connection.
    static func run(
        _ options: Lab.Options = Lab.Options(), streams: Int = 100, pushes: Bool = false,
        script: @escaping HTTP2Upstream.Script,
        _ body: (Lab, HTTP2Upstream) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        try SecureUpstream.makeCertificates(in: folder)
        let upstream = try await HTTP2Upstream(folder: folder, streams: streams, pushes: pushes, script: script)
        var options = options
        options.isSecure = true
        options.upstreamHost = "localhost"
        options.upstreamPort = upstream.port
        options.trustFile = folder.path("ca.pem")
        try await Lab.run(options, try ScriptedUpstream { _, _ in }) { try await body($0, upstream) }
        try await upstream.stop()
    }

    /// Sends requests on connections of their own, all before any answer is read.
    static func send(_ count: Int, _ method: String = "GET", body: String? = nil, in lab: Lab) throws -> [Wire] {
        try (0..<count).map { number in
            let wire = try lab.connect()
            try wire.send(lab.head(method, "/lab/\(number)", length: body?.utf8.count) + (body ?? ""))
            return wire
        }
    }
}
