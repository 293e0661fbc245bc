import TestSupport
import Testing
import Transport

@testable import Proxy

@Suite("Hosts that agents name")
struct ForwardRulesTests {
    static let matches: [(String, String, Int, Bool)] = [
        ("api.example", "api.example", 443, true), ("api.example", "API.Example", 80, true),
        ("api.example", "api.example", 8443, false), ("api.example:8443", "api.example", 8443, true),
        ("api.example:8443", "api.example", 443, false), ("api.example:*", "api.example", 1, true),
        ("*.example", "api.example", 443, true), ("*.example", "a.b.example", 443, true),
        ("*.example", "example", 443, false), ("*.example", "badexample", 443, false),
        ("*", "api.example", 443, true), ("*", "10.0.0.1", 443, true), ("*", "api.example", 22, false),
        ("*:*", "api.example", 22, true), ("*:22", "api.example", 22, true), ("*.example:*", "a.example", 9, true),
        ("10.0.0.1", "10.0.0.1", 443, true), ("*.1", "10.0.0.1", 443, false), ("[::1]", "[::1]", 443, true),
        ("[::1]:8443", "[::1]", 8443, true),
    ]

    @Test("a pattern says which hosts and which ports it means", arguments: matches)
    func pattern(text: String, host: String, port: Int, isMatch: Bool) throws {
        guard let pattern = HostPattern(text) else {
            #expect(!isMatch)
            return
        }
        #expect(try pattern.matches(#require(HostName(host)), port: port) == isMatch)
    }

    @Test(
        "reject- what is no pattern",
        arguments: [
            "", "a b", "*.", "**", "a.*.example", "https://a.example", "a.example/", "a.example:0", "a.example:65536",
            "a.example:-1", "*.10.0.0.1", "*a.example", "a:b:c", "[::1", "127.1",
        ])
    func noPattern(text: String) {
        #expect(HostPattern(text) == nil)
    }

    @Test("lists of the house, of a team and of an agent add up")
    func lists() throws {
        func patterns(_ text: String) throws -> [HostPattern] { [try #require(HostPattern(text))] }
        let rules = ForwardRules(
            hosts: [
                .house: try patterns("all.example"), .team("red"): try patterns("red.example"),
                .agent("scout"): try patterns("scout.example"),
            ], addresses: AddressGuard())
        func reaches(_ host: String, _ name: String, team: String?) throws -> Bool {
            rules.allows(try #require(HostName(host)), port: 443, for: SampleAgent.sample(name, team: team).agent)
        }
        #expect(try reaches("all.example", "other", team: nil))
        #expect(try reaches("red.example", "other", team: "red") && !reaches("red.example", "scout", team: "blue"))
        #expect(try reaches("scout.example", "scout", team: nil) && !reaches("scout.example", "other", team: "red"))
        #expect(try !reaches("none.example", "scout", team: "red"))
    }

    @Test(
        "a URL says where a request goes",
        arguments: [
            ("http://a.example", "http://a.example", "/"), ("http://a.example/x?y", "http://a.example", "/x?y"),
            ("HTTP://A.Example:8080?y", "http://a.example:8080", "/?y"),
            ("https://a.example/", "https://a.example", "/"),
            ("http://[::1]:81/x", "http://[::1]:81", "/x"), ("http://127.0.0.1:80/", "http://127.0.0.1", "/"),
        ])
    func target(text: String, origin: String, target: String) throws {
        let read = try #require(ForwardTarget(absolute: text))
        #expect(read.origin.description == origin && read.target == target)
    }

    @Test(
        "reject- URLs that could be read in two ways",
        arguments: [
            "http://", "http:///x", "http://u@a.example/", "http://u:p@a.example/", "http://a.example:0/",
            "http://a.example:80:80/", "http://a.example#x", "http://a.example/x#y", "ftp://a.example/", "a.example/",
            "http:/a.example", "http://127.1/", "http://0x7f.0.0.1/", "http://2130706433/", "http://a..example/",
            "http://a.example./", "http://[fe80::1%25eth0]/", "http://a.example\\@b.example/", "*", "http://é.example/",
        ])
    func noTarget(text: String) {
        #expect(ForwardTarget(absolute: text) == nil)
    }
}
