import Commands
import Daemon
import Primitives
import TestSupport
import Testing

@Suite("The command ca")
struct AuthorityCommandTests {
    @Test("init makes an authority for the listed hosts once, export shows its certificate and never its key")
    func life() async throws {
        let place = try StateForTests(configuration: "forward: { terminate: [api.example, \"*.b.example\"] }\n")
        let made = try await place.done("ca", "init", "--json").json
        let shown = try await place.done("ca", "show", "--json").json
        #expect(made["sha256"]?.string?.count == 64 && made["sha256"]?.string == shown["sha256"]?.string)
        #expect(shown["not_after"]?.string?.hasPrefix("20") == true)
        #expect(try place.folder.mode(of: "authority.pem") == 0o600)
        let text = await place.done("ca", "export").output
        #expect(text.hasPrefix("-----BEGIN CERTIFICATE-----\n") && text.hasSuffix("-----END CERTIFICATE-----\n"))
        #expect(!text.contains("KEY"))
        let again = await place.run("ca", "init")
        #expect(again.status == .exists && again.errors.contains("authority.pem"))
        let other = try await place.done("ca", "init", "--replace", "--json").json
        #expect(other["sha256"]?.string != made["sha256"]?.string)
    }

    @Test("reject- an authority whose key others can read")
    func readable() async throws {
        let place = try StateForTests(configuration: "forward: { terminate: [api.example] }\n")
        _ = await place.done("ca", "init")
        let text = try place.folder.lines(of: "authority.pem").joined(separator: "\n")
        try place.folder.write(text.utf8, to: "authority.pem", mode: 0o640)
        for run in [await place.run("ca", "export"), await place.run("serve")] {
            #expect(run.status == .failed && run.errors.contains("others can read it"), "\(run.errors)")
        }
    }

    @Test(
        "reject- an authority for no host, or for all of them without that being said",
        arguments: ["{}", "forward: { terminate: [\"*\"] }"])
    func noHosts(configuration: String) async throws {
        let place = try StateForTests(configuration: configuration + "\n")
        let run = await place.run("ca", "init")
        #expect(run.status == .usage && run.errors.contains("--any-host"), "\(run.errors)")
        _ = await place.done("ca", "init", "--any-host")
    }

    @Test("client and server make certificates of the agents' authority, in files that only their owner can read")
    func issued() async throws {
        let place = try StateForTests(configuration: "{}\n")
        let scout = place.folder.path("scout.pem")
        let made = try await place.done("ca", "client", "scout", "--out", scout, "--json").json
        let peer = try #require(made["peer"]?.string)
        #expect(peer.hasPrefix("cert:sha256:") && peer.count == 12 + 64 && made["agent"]?.string == "scout")
        for name in ["scout.pem", "agent-authority.pem"] { #expect(try place.folder.mode(of: name) == 0o600) }
        let text = try place.folder.lines(of: "scout.pem").joined(separator: "\n")
        #expect(text.hasPrefix("-----BEGIN PRIVATE KEY-----") && text.split(separator: "BEGIN CERTIFICATE").count == 3)
        let listener = place.folder.path("listener.pem")
        let words = await place.done("ca", "server", "purser.test", "10.0.0.1", "::1", "--out", listener).output
        #expect(words.contains("certificate: \(listener)"))
        // What they print is what `config check` and `serve` take.
        try place.state.writeConfiguration(
            "listen: [{ tls: \"127.0.0.1:0\", certificate: listener.pem }]\npeers: { \"\(peer)\": scout }\n")
        let check = await place.done("config", "check").output
        #expect(check.contains("https://127.0.0.1:0 (client certificates)") && check.contains("\(peer) is scout"))
        let again = await place.run("ca", "client", "scout", "--out", scout)
        #expect(again.status == .exists && again.errors.contains("scout.pem"))
    }

    @Test(
        "reject- certificates for what cannot be named",
        arguments: [
            ["client", "Scout"], ["client", "a,URI:b"], ["server", "*"], ["server", "a b"],
            ["client", "a", "--days", "0"],
            ["server", "a.example", "--days", "4000"],
        ])
    func notIssued(arguments: [String]) async throws {
        let place = try StateForTests(configuration: "{}\n")
        let run = await CommandRun.run(
            ["ca"] + arguments + ["--out", place.folder.path("new.pem"), "--state", place.folder.path])
        #expect(run.status == .usage, "\(run.errors)")
        #expect(try !place.folder.entries().contains("new.pem"))
    }

    @Test("reject- a TLS listener without its files, or whose key others can read")
    func listenerFiles() async throws {
        let place = try StateForTests(
            configuration: "listen: [{ tls: \"127.0.0.1:0\", certificate: listener.pem }]\n")
        let check = await place.done("config", "check").errors
        #expect(check.contains("listen[0]: tls://127.0.0.1:0: there is no"), "\(check)")
        let serve = await place.run("serve")
        #expect(serve.status != .done && serve.errors.contains("tls://127.0.0.1:0: there is no"), "\(serve.errors)")
        _ = await place.done("ca", "server", "localhost", "--out", place.folder.path("listener.pem"))
        #expect(await !place.done("config", "check").errors.contains("listen["))
        let text = try place.folder.lines(of: "listener.pem").joined(separator: "\n")
        try place.folder.write(text.utf8, to: "listener.pem", mode: 0o640)
        let run = await place.run("serve")
        #expect(run.status != .done && run.errors.contains("others can read it"), "\(run.errors)")
        // An authority of one's own has to be named, or made.
        try place.folder.write(text.utf8, to: "listener.pem", mode: 0o600)
        try place.folder.write([], to: "agent-authority.pem")
        #expect(await place.done("config", "check").errors.contains("listen[0]"))
    }

    @Test("reject- what is not there")
    func missing() async throws {
        let place = try StateForTests(configuration: "forward: { terminate: [api.example] }\n")
        for command in ["show", "export"] { #expect(await place.run("ca", command).status == .missing) }
        let serve = await place.run("serve")
        #expect(serve.status == .failed && serve.errors.contains("purser ca init"), "\(serve.errors)")
        _ = await place.done("ca", "init")
        try place.state.writeConfiguration("forward: { terminate: [other.example] }\n")
        let other = await place.run("serve")
        #expect(other.status == .failed && other.errors.contains("purser ca init --replace"), "\(other.errors)")
    }
}
