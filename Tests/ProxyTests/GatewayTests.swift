import NIOCore
import TestSupport
import Testing
import Transport

@testable import Proxy

@Suite("Routes to gateways")
struct GatewayTests {
    private let table = GatewayTable([
        .sample("lab"), .sample("bank", host: "bank.example", basePath: "/api/v2"),
        .sample("openai", host: "ai.example", basePath: "/base", paths: ["/v1/", "/v1/audio/"]),
        .sample("other", host: "other.example", paths: ["/v1/audio/speech/"]),
    ])

    @Test(
        "a path finds its gateway and keeps its spelling",
        arguments: [
            ("/lab", "lab", "/", "/lab"), ("/lab/", "lab", "/", "/lab"), ("/lab?x=1", "lab", "/?x=1", "/lab"),
            ("/lab/a%2Fb//c?d=/../e", "lab", "/a%2Fb//c?d=/../e", "/lab"), ("/bank", "bank", "/api/v2", "/bank"),
            ("/bank?x", "bank", "/api/v2?x", "/bank"), ("/bank/pay", "bank", "/api/v2/pay", "/bank"),
            ("/v1/chat", "openai", "/base/v1/chat", ""), ("/v1/audio/speech/x", "other", "/v1/audio/speech/x", ""),
            ("/v1/audio/x", "openai", "/base/v1/audio/x", ""), ("/openai/v1/x", "openai", "/base/v1/x", "/openai"),
            ("/lab/...", "lab", "/...", "/lab"), ("/lab/.well-known/x", "lab", "/.well-known/x", "/lab"),
            ("/lab/a..b", "lab", "/a..b", "/lab"), ("/lab/100%", "lab", "/100%", "/lab"),
        ])
    func routes(target: String, gateway: String, upstream: String, prefix: String) throws {
        let route = try table.route(target)
        #expect(route.gateway.name == gateway)
        #expect(route.target == upstream)
        #expect(route.prefix == prefix)
    }

    @Test(
        "reject- targets that are no path",
        arguments: ["", "*", "http://api.example.com/lab/", "lab/a", "api.example.com:443", "?x", "/lab/a#b", "\\lab"])
    func notAPath(target: String) {
        #expect(throws: GatewayTable.Miss.notAPath) { try table.route(target) }
    }

    @Test(
        "reject- paths that might leave their gateway",
        arguments: [
            "/lab/..", "/lab/../bank/x", "/lab/./a", "/../lab/", "/lab/%2e%2e/bank", "/lab/%2E%2e/", "/lab/.%2e/",
            "/lab/%252e%252e/", "/lab/a%2f..%2fb", "/lab/a%252f%252e%252e", "/lab/..\\x", "/lab\\..\\bank",
            "/lab/%5c..%5c", "/lab/%255c", "/lab/%00", "/lab/a%0d%0ab", "/lab/..;/admin", "/lab/..;a=b/admin",
            "/lab/%2e%2e%3b/admin", "/lab/.;/a",
        ])
    func unsafe(target: String) {
        #expect(throws: GatewayTable.Miss.unsafePath) { try table.route(target) }
    }

    @Test(
        "reject- gateways nobody configured", arguments: ["/", "//lab/", "/labx/", "/LAB/", "/v1", "/v2/x", "/lab%2f"])
    func unknown(target: String) {
        #expect(throws: GatewayTable.Miss.unknownGateway) { try table.route(target) }
    }

    @Test("a table names its gateways in order")
    func names() {
        #expect(table.names == ["bank", "lab", "openai", "other"])
    }

    @Test("the first byte of a paid answer may take as long as the seller's window and half a minute")
    func firstByte() {
        let timeouts = Gateway.Timeouts.standard
        #expect(timeouts.firstByte(paidWithin: nil) == .minutes(10))
        #expect(timeouts.firstByte(paidWithin: 60) == .minutes(10))
        #expect(timeouts.firstByte(paidWithin: 3600) == .seconds(3630))
        #expect(timeouts.firstByte(paidWithin: .max) == .seconds(86_430))
        let fixed = Gateway.Timeouts(connect: .seconds(1), firstByte: .seconds(5), idle: .seconds(1))
        #expect(fixed.firstByte(paidWithin: 3600) == .seconds(5))
    }
}

@Suite("Redirects")
struct RedirectTests {
    private func location(
        _ value: String, from target: String = "/lab/a", status: Int = 302, basePath: String = "",
        paths: [String] = [], more: String? = nil
    ) throws -> RedirectRule.Location {
        let gateway = Gateway.sample(basePath: basePath, paths: paths, redirectHosts: ["cdn.example"])
        let table = GatewayTable([gateway, .sample("bank", host: "bank.example")])
        let head =
            try more.map { try ResponseHead.sample(status, "Location: \(value)", "Location: \($0)") }
            ?? ResponseHead.sample(status, "Location: \(value)")
        return RedirectRule.location(of: head, route: try table.route(target))
    }

    @Test(
        "a place at the gateway is moved under its name",
        arguments: [
            ("/b?c#d", "/lab/b?c#d"), ("https://api.example.com/b", "/lab/b"),
            ("HTTPS://API.Example.com:443/b?x", "/lab/b?x"),
            ("https://api.example.com", "/lab"), ("https://api.example.com?x", "/lab?x"), ("/", "/lab/"),
            ("/b?u=https://evil.example/", "/lab/b?u=https://evil.example/"), ("/b?../..", "/lab/b?../.."),
        ])
    func moved(value: String, place: String) throws {
        #expect(try location(value) == .rewritten(place))
    }

    @Test("what names no other place stays as it is", arguments: ["b", "b/c?d", "?x=1", "#x", "", "b?u=a:b", "./b"])
    func relative(value: String) throws {
        let safe = value != "./b"
        #expect(try location(value) == (safe ? .unchanged : .foreign))
    }

    @Test("a listed host may be pointed at", arguments: ["https://cdn.example/x", "http://CDN.example:8080/"])
    func listed(value: String) throws {
        #expect(try location(value) == .unchanged)
    }

    @Test(
        "reject- places that are elsewhere, for any reader",
        arguments: [
            "https://evil.example/", "http://api.example.com/", "https://api.example.com:444/", "//evil.example/",
            "/\\evil.example/", "\\\\evil.example/", "\\/evil.example", "/\t/evil.example/", "https:/evil.example",
            "https:evil.example", "https://api.example.com@evil.example/", "https://api.example.com\\@evil.example/",
            "https://api.example.com.evil.example/", "ftp://api.example.com/", "javascript:alert(1)", "web+x:y",
            "view-source:x", "https://", "https:///x", "https://api.example.com:x/", "https://cdn.example.evil/",
            "/../bank/x", "/a/../../bank/x", "/%2e%2e/bank", "../bank/x", "..", "a/../../bank", "%2e%2e/bank",
            "https://api.example.com/../bank/", "/..;/bank", ":",
        ])
    func foreign(value: String) throws {
        #expect(try location(value) == .foreign)
    }

    @Test("reject- a second Location field, whatever it says")
    func twoLocations() throws {
        #expect(try location("/a", more: "https://evil.example/") == .foreign)
        #expect(try location("a", more: "a") == .foreign)
    }

    @Test("a base path is taken off, and a longer name that begins like it is no part of it")
    func basePath() throws {
        #expect(try location("/api/b", basePath: "/api") == .rewritten("/lab/b"))
        #expect(try location("/api", basePath: "/api") == .rewritten("/lab"))
        #expect(try location("/api?x", basePath: "/api") == .rewritten("/lab?x"))
        #expect(try location("/apix/b", basePath: "/api") == .foreign)
        #expect(try location("/other", basePath: "/api") == .foreign)
    }

    @Test("a default gateway is called by its prefixes, and by its name for all else")
    func defaultGateway() throws {
        #expect(try location("/v1/b", from: "/v1/a", paths: ["/v1/"]) == .rewritten("/v1/b"))
        #expect(try location("/bank/b", from: "/v1/a", paths: ["/v1/"]) == .rewritten("/lab/bank/b"))
        #expect(try location("https://api.example.com", from: "/v1/a", paths: ["/v1/"]) == .rewritten("/lab"))
        #expect(try location("/v1/b", from: "/lab/a", paths: ["/v1/"]) == .rewritten("/lab/v1/b"))
    }

    @Test("only redirects and creations are judged", arguments: [200, 201, 300, 308, 399, 400, 402])
    func statuses(status: Int) throws {
        let isJudged = status == 201 || (300..<400).contains(status)
        #expect(try location("https://evil.example/", status: status) == (isJudged ? .foreign : .unchanged))
        #expect(
            RedirectRule.location(of: try .sample(302), route: try GatewayTable([.sample()]).route("/lab"))
                == .unchanged)
    }
}
