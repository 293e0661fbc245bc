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
            ("/lab/a?b=%u002e%u002e/&c=%c0%ae", "lab", "/a?b=%u002e%u002e/&c=%c0%ae", "/lab"),
            ("/lab/a%3Fb%23c", "lab", "/a%3Fb%23c", "/lab"),
            ("/lab/%C3%A9t%C3%A9.pdf", "lab", "/%C3%A9t%C3%A9.pdf", "/lab"),
            ("/lab/caf%E9", "lab", "/caf%E9", "/lab"), ("/lab/%C0%20la.txt", "lab", "/%C0%20la.txt", "/lab"),
            ("/lab/caf%u00e9", "lab", "/caf%u00e9", "/lab"), ("/lab/100%25", "lab", "/100%25", "/lab"),
            ("/lab/%e3%81%af%ef%bc%8etxt", "lab", "/%e3%81%af%ef%bc%8etxt", "/lab"),
            ("/lab/a%2520b", "lab", "/a%2520b", "/lab"), ("/lab/a;v=1/b", "lab", "/a;v=1/b", "/lab"),
            ("/lab/%F0%9F%98%80", "lab", "/%F0%9F%98%80", "/lab"), ("/lab//x", "lab", "//x", "/lab"),
            ("/lab/v1...v2", "lab", "/v1...v2", "/lab"), ("/lab/%E0%A4%85", "lab", "/%E0%A4%85", "/lab"),
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
            "/lab/%c0%ae%c0%ae/bank", "/lab/%C0%AE./bank", "/lab/%c0%2e%c0%2e/bank", "/lab/%e0%80%ae%e0%80%ae/bank",
            "/lab/%f0%80%80%ae./bank", "/lab/%f8%80%80%80%ae", "/lab/..%c0%afbank", "/lab/%c1%9c..", "/lab/%c1%a1dmin",
            "/lab/%25c0%25ae%25c0%25ae/", "/lab/%u002e%u002e/bank", "/lab/%U002E./bank", "/lab/..%u002fbank",
            "/lab/..%u2215bank", "/lab/%u005c", "/lab/%u0000", "/lab/%25u002e%25u002e/", "/lab/%uff0e%uff0e/",
            "/lab/..%20/bank", "/lab/..%20%20", "/lab/%20../bank", "/lab/..%2520/bank", "/lab/..%c2%a0/bank",
            "/lab/%ef%bc%8e%ef%bc%8e/bank", "/lab/%e2%80%a5/bank", "/lab/..%ef%bc%8fbank", "/lab/..%ef%bc%bcbank",
            "/lab/..%3fx", "/lab/..%23x", "/lab/%25252e%25252e/bank", "/lab/%2525252e%2525252e/bank",
            "/lab/%%32%65./bank",
            "/lab/a%7fb",
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
            ("http://api.example.com/b", "/lab/b"), ("http://api.example.com:80/b", "/lab/b"),
            ("http://api.example.com:443/b", "/lab/b"), ("https://api.example.com:80/b", "/lab/b"),
            ("https://api.example.com:/b", "/lab/b"), ("https://api.example.com./b", "/lab/b"),
            ("//api.example.com/b", "/lab/b"), ("https://api.example.com//b", "/lab//b"),
            ("./b", "/lab/b"), ("../b", "/lab/b"), ("../../b?x#y", "/lab/b?x#y"), ("..", "/lab/"), (".", "/lab/"),
            ("c/../b", "/lab/b"), ("/c/../b", "/lab/b"), ("/c/./b/.", "/lab/c/b/"), ("/../bank/x", "/lab/bank/x"),
            ("https://api.example.com/../bank/", "/lab/bank/"), ("//cdn.example/x", "https://cdn.example/x"),
        ])
    func moved(value: String, place: String) throws {
        #expect(try location(value) == .rewritten(place))
    }

    @Test(
        "a listed host is the same in every spelling", arguments: ["https://CDN.Example/x", "https://cdn.example./x"])
    func spellings(value: String) throws {
        #expect(try location(value) == .unchanged)
    }

    @Test("a long way down and up again is resolved in no time")
    func deep() throws {
        let way = String(repeating: "a/", count: 25_000) + String(repeating: "../", count: 25_000)
        #expect(try location("/\(way)b") == .rewritten("/lab/b"))
    }

    @Test("what names no other place stays as it is", arguments: ["b", "b/c?d", "?x=1", "#x", "", "b?u=a:b"])
    func relative(value: String) throws {
        #expect(try location(value) == .unchanged)
    }

    @Test("a relative place is resolved against the gateway's own path, where the agent's has another folder")
    func resolved() throws {
        #expect(try location("b", from: "/lab") == .rewritten("/lab/b"))
        #expect(try location("../c", from: "/lab/v1/a/b", basePath: "/api") == .rewritten("/lab/v1/c"))
        #expect(
            try location("../../../c", from: "/lab/v1/a", basePath: "/api") == refused(.outsideBasePath, "../../../c"))
        #expect(try location("../v1/c", from: "/v1/a", paths: ["/v1/"]) == .rewritten("/v1/c"))
        #expect(try location("../c", from: "/v1/a", paths: ["/v1/"]) == .rewritten("/lab/c"))
    }

    private func refused(_ reason: RedirectRule.Reason, _ location: String) -> RedirectRule.Location {
        .refused(RedirectRule.Refusal(reason: reason, location: location))
    }

    @Test("a listed host may be pointed at", arguments: ["https://cdn.example/x", "http://CDN.example:8080/"])
    func listed(value: String) throws {
        #expect(try location(value) == .unchanged)
    }

    static let elsewhere: [(RedirectRule.Reason, [String])] = [
        (
            .anotherHost,
            [
                "https://evil.example/", "//evil.example/", "https://api.example.com.evil.example/",
                "https://cdn.example.evil/", "http://[::1]/",
            ]
        ),
        (.anotherPort, ["https://api.example.com:444/", "http://api.example.com:8080/", "//api.example.com:1/"]),
        (.anotherScheme, ["ftp://api.example.com/", "javascript:alert(1)", "web+x:y", "view-source:x", ":"]),
        (
            .ambiguous,
            [
                "/\\evil.example/", "\\\\evil.example/", "\\/evil.example", "/\t/evil.example/", "https:/evil.example",
                "https:evil.example", "https://api.example.com@evil.example/", "https://me@api.example.com/",
                "https://api.example.com\\@evil.example/", "https://", "https:///x", "https://api.example.com:x/",
                "https://api.example.com:99999/", "/%2e%2e/bank", "%2e%2e/bank", "/..;/bank", "//",
            ]
        ),
    ]

    @Test("reject- places that are elsewhere, for any reader", arguments: elsewhere)
    func foreign(reason: RedirectRule.Reason, values: [String]) throws {
        for value in values { #expect(try location(value) == refused(reason, value), "\(value)") }
    }

    @Test("reject- a second Location field, whatever it says")
    func twoLocations() throws {
        #expect(try location("/a", more: "https://evil.example/") == refused(.severalLocations, "/a"))
        #expect(try location("a", more: "a") == refused(.severalLocations, "a"))
        #expect(try location("/a", status: 201, more: "a") == .unchanged)
    }

    @Test("a location that is refused is shown up to its limit")
    func longLocation() throws {
        let long = "https://evil.example/" + String(repeating: "x", count: 5000)
        #expect(try location(long) == refused(.anotherHost, String(long.prefix(2048))))
    }

    @Test("hosts are compared as addresses, and ports that are no default ones as they are")
    func addresses() throws {
        func location(_ value: String) throws -> RedirectRule.Location {
            let gateway = Gateway(
                name: "lab", origin: Origin(isSecure: false, host: "::1", port: 8402), basePath: "", paths: [],
                credential: nil, redirectHosts: [], timeouts: .standard)
            return RedirectRule.location(
                of: try .sample(302, "Location: \(value)"), route: try GatewayTable([gateway]).route("/lab/a"))
        }
        #expect(try location("http://[0:0:0:0:0:0:0:1]:8402/b") == .rewritten("/lab/b"))
        #expect(try location("https://[::1]:8402/b") == .rewritten("/lab/b"))
        #expect(try location("http://[::1]/b") == refused(.anotherPort, "http://[::1]/b"))
        #expect(try location("http://[::2]:8402/b") == refused(.anotherHost, "http://[::2]:8402/b"))
    }

    @Test("a base path is taken off, and a longer name that begins like it is no part of it")
    func basePath() throws {
        #expect(try location("/api/b", basePath: "/api") == .rewritten("/lab/b"))
        #expect(try location("/api", basePath: "/api") == .rewritten("/lab"))
        #expect(try location("/api?x", basePath: "/api") == .rewritten("/lab?x"))
        #expect(try location("/apix/b", basePath: "/api") == refused(.outsideBasePath, "/apix/b"))
        #expect(try location("/api/../x", basePath: "/api") == refused(.outsideBasePath, "/api/../x"))
        #expect(try location("/other", basePath: "/api") == refused(.outsideBasePath, "/other"))
    }

    @Test("a default gateway is called by its prefixes, and by its name for all else")
    func defaultGateway() throws {
        #expect(try location("/v1/b", from: "/v1/a", paths: ["/v1/"]) == .rewritten("/v1/b"))
        #expect(try location("/bank/b", from: "/v1/a", paths: ["/v1/"]) == .rewritten("/lab/bank/b"))
        #expect(try location("https://api.example.com", from: "/v1/a", paths: ["/v1/"]) == .rewritten("/lab"))
        #expect(try location("/v1/b", from: "/lab/a", paths: ["/v1/"]) == .rewritten("/lab/v1/b"))
    }

    @Test("a redirect elsewhere is refused; a creation keeps its place, and a 304 loses it")
    func statuses() throws {
        let url = "https://evil.example/"
        for status in [300, 301, 302, 303, 305, 307, 308, 399] {
            #expect(try location(url, status: status) == refused(.anotherHost, url))
        }
        #expect(try location(url, status: 304) == .removed)
        #expect(try location("/b", status: 304) == .rewritten("/lab/b"))
        for status in [200, 201, 202, 400, 402] { #expect(try location(url, status: status) == .unchanged) }
        #expect(try location("/b", status: 201) == .rewritten("/lab/b"))
        #expect(try location("http://api.example.com/b", status: 201) == .rewritten("/lab/b"))
        #expect(try location("/v1/calls/1", status: 201, basePath: "/openai") == .unchanged)
        #expect(try location("https://me@x/", status: 201) == .unchanged)
        #expect(
            RedirectRule.location(of: try .sample(302), route: try GatewayTable([.sample()]).route("/lab"))
                == .unchanged)
    }
}
