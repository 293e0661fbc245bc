import NIOCore
import Primitives
import Proxy
import TestSupport
import Testing
import Transport

@Suite("Requests that come back", .mayBlock)
struct LoopTests {
    /// A gateway that is a path of another proxy, or of this one, with the key of an agent there.
    private static func lead(to port: Int, _ options: inout Lab.Options) {
        options.upstreamPort = port
        options.basePath = "/lab"
        options.key = (.authorization, Lab.token)
    }

    private static var answering: ScriptedUpstream {
        get throws { try ScriptedUpstream.serving { Respond.with(200, body: $0["purser-via"].joined(separator: "|")) } }
    }

    private func isLoop(_ answer: Message) -> Bool {
        answer.status == 508 && answer.text.contains("\"loop\"")
    }

    @Test("a gateway that is this proxy is a loop, found on the second lap", arguments: ["GET", "POST"])
    func itself(method: String) async throws {
        try await Lab.run(try Self.answering) { lab async throws in
            try await lab.replace { Self.lead(to: lab.port, &$0) }
            #expect(isLoop(try lab.exchange(method, "/lab/x", body: method == "POST" ? "q" : nil)))
            #expect(lab.upstream.connections.isEmpty)
            // What follows is served.
            try await lab.replace()
            #expect(try lab.exchange("GET", "/lab/x").status == 200)
        }
    }

    @Test("a handshake for another protocol is found too")
    func handshake() async throws {
        try await Lab.run(try Self.answering) { lab async throws in
            try await lab.replace { Self.lead(to: lab.port, &$0) }
            #expect(isLoop(try lab.exchange("GET", "/lab/x", ["connection: upgrade", "upgrade: websocket"])))
        }
    }

    @Test("two proxies that lead to each other are a loop")
    func two() async throws {
        try await Lab.run(try Self.answering) { first async throws in
            var options = Lab.Options()
            options.markSeed = 44
            Self.lead(to: first.port, &options)
            try await Lab.run(options, try Self.answering) { second async throws in
                try await first.replace { Self.lead(to: second.port, &$0) }
                #expect(isLoop(try first.exchange("GET", "/lab/x")))
            }
        }
    }

    @Test("several proxies in a row work, and each adds its name")
    func chain() async throws {
        let upstream = try Self.answering
        try await Lab.run(upstream) { last async throws in
            var options = Lab.Options()
            options.markSeed = 44
            Self.lead(to: last.port, &options)
            try await Lab.run(options, try Self.answering) { first async throws in
                let names = try first.exchange("GET", "/lab/x").text.split(separator: ", ")
                #expect(names.count == 2 && Set(names).count == 2 && names.allSatisfy { $0.count == 32 })
                let own = try last.exchange("GET", "/lab/x").text
                #expect(own == names[1])
            }
        }
    }

    @Test("an agent may name the proxy as a host, directly or by a tunnel: the first is found, the second not opened")
    func forwarded() async throws {
        var options = Lab.Options()
        options.forward = loopbackRules()
        try await Lab.run(options, try Self.answering) { lab async throws in
            let basic = ForwardTests.basic("scout", Lab.token)
            let request =
                "GET http://127.0.0.1:\(lab.port)/lab/x HTTP/1.1\r\nhost: x\r\n\(basic)\r\n"
                + "authorization: Bearer \(Lab.token)\r\n\r\n"
            #expect(isLoop(try lab.raw(request).response))
            let tunnel =
                "CONNECT 127.0.0.1:\(lab.port) HTTP/1.1\r\nhost: x\r\n\(basic)\r\n\r\n"
            #expect(isLoop(try lab.raw(tunnel).response))
            // Another server of this machine is none.
            let other = "CONNECT 127.0.0.1:\(lab.upstream.port) HTTP/1.1\r\nhost: x\r\n\(basic)\r\n\r\n"
            let wire = try lab.connect()
            try wire.send(other)
            #expect(try wire.readHead()?.hasPrefix("HTTP/1.1 200 ") == true)
        }
    }

    static let name = String(repeating: "0123456789abcdef", count: 2)

    @Test(
        "names that an agent makes up travel on if they are names, and refuse its own request at most",
        arguments: [
            ([name], 2), ([name, name], 3), (["\(name), \(name)"], 3), (["\(name.uppercased())"], 1), (["1.1 x"], 1),
            ([name + "0"], 1), ([","], 1), (Array(repeating: name, count: 15), 16),
            (["x", "\t\(name) ,y"], 2),
        ])
    func madeUp(values: [String], count: Int) async throws {
        try await Lab.run(try Self.answering) { lab async throws in
            let answer = try lab.exchange("GET", "/lab/x", values.map { "Purser-Via: \($0)" })
            #expect(answer.status == 200)
            let names = answer.text.split(separator: ", ").map(String.init)
            #expect(names.count == count && names.dropLast().allSatisfy { $0 == Self.name })
            #expect(try lab.exchange("GET", "/lab/x").text == names.last)
        }
    }

    @Test("reject- a request with the proxy's own name, or with the names of as many proxies as no request passes")
    func refused() async throws {
        try await Lab.run(try Self.answering) { lab async throws in
            let own = try lab.exchange("GET", "/lab/x").text
            #expect(isLoop(try lab.exchange("GET", "/lab/x", ["purser-via: \(Self.name), \(own)"])))
            #expect(isLoop(try lab.exchange("GET", "/lab/x", ["purser-via: \(Self.name)", "purser-via: \(own)"])))
            let many = Array(repeating: Self.name, count: 16).joined(separator: ",")
            #expect(isLoop(try lab.exchange("GET", "/lab/x", ["purser-via: \(many)"])))
            #expect(try lab.exchange("GET", "/lab/x").text == own)
        }
    }
}
