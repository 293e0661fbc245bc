import Commands
import Testing

@Suite("purser simulate")
struct SimulateCommandTests {
    @Test("the evil merchant stays on loopback")
    func loopback() async {
        let run = await CommandRun.run(["simulate", "--evil", "--listen", "0.0.0.0:0"])
        #expect(run.errors == "purser: the evil merchant listens on 127.0.0.1 only, not on 0.0.0.0:0\n")
        #expect(run.output.isEmpty)
    }

    @Test(
        "what says the same twice, or nothing, is refused",
        arguments: [
            (["--listen", "127.0.0.1:0", "--port", "0"], "--listen and --port say the same"),
            (["--evil", "--pay-to", "0x209693Bc6afc0C5328bA36FaF03C514EF312287C"], "says who is paid"),
            (["--evil", "--upto-percent", "10"], "says what is settled"),
            (["--evil", "--upto-untold"], "says what is settled"),
            (["--port", "65536"], "65536"),
            (["--port", "0", "--upto-percent", "101"], "percentage from 0 to 100"),
            (["--port", "0", "--upto-percent=-1"], "percentage from 0 to 100"),
        ])
    func contradictions(_ arguments: [String], _ words: String) async {
        let run = await CommandRun.run(["simulate"] + arguments)
        #expect(run.status != .done)
        #expect(run.errors.contains(words), "\(run.errors)")
    }
}
