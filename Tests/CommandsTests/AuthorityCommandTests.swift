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
