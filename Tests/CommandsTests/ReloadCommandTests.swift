import Commands
import Daemon
import LedgerSQLite
import Primitives
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("The command config reload")
struct ReloadCommandTests {
    @Test("without a daemon it says so, and a wrong configuration is told before any is asked")
    func without() async throws {
        let place = try StateForTests(configuration: "listen: 127.0.0.1:0\n")
        let run = await place.run("config", "reload")
        #expect(run.status == .failed)
        #expect(run.errors == "purser: no daemon serves \(place.folder.path)\n")
        try place.state.writeConfiguration("listen: nowhere\n")
        #expect(await place.run("config", "reload").status == .configuration)
    }

    @Test("a daemon that serves reads its files again, by the command and by SIGHUP")
    func reload() async throws {
        await #expect(processExitsWith: .success) {
            let place = try StateForTests(configuration: "listen: [127.0.0.1:0, unix:agents.sock]\n")
            let serving = Task { await place.run("serve") }
            for _ in 0..<1_000 {
                if try place.folder.entries().contains("agents.sock") { break }
                // The command tells of nothing else than its socket's file before it ends.
                try await Task.sleep(for: .milliseconds(10))
            }
            try place.state.writeConfiguration(
                "listen: 127.0.0.1:0\ngateways: { lab: { url: http://127.0.0.1:1 } }\n")
            let run = await place.done("config", "reload")
            #expect(run.output.contains("serves by the new configuration"), "\(run)")
            #expect(run.errors.contains("only from the next start on: listen"), "\(run)")
            let json = try await place.done("config", "reload", "--json").json
            #expect(json["reloaded"]?.bool == true && json["process"]?.integer == Int64(getpid()))
            #expect(json["waits_for_restart"]?.elements?.compactMap(\.string) == ["listen"])
            #expect(kill(getpid(), SIGTERM) == 0)
            let served = await serving.value
            #expect(served.status == .done, "\(served.errors)")
            #expect(served.output.contains("serving on http://127.0.0.1:"))
            #expect(served.output.contains(", unix:\(place.folder.path)/agents.sock\n"))
            #expect(try !place.folder.entries().contains("agents.sock"))
        }
    }
}
