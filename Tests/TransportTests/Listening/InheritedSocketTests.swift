import Testing

@testable import Transport

@Suite("Sockets that systemd hands over")
struct InheritedSocketTests {
    private func read(_ variables: [String: String], process: Int32 = 42) throws -> [InheritedSocket] {
        try InheritedSockets.read(process: process) { variables[$0] }
    }

    @Test("they are numbered from 3 and have their names")
    func named() throws {
        let sockets = try read(["LISTEN_PID": "42", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:agents"])
        #expect(
            sockets == [
                InheritedSocket(name: "web", descriptor: 3), InheritedSocket(name: "agents", descriptor: 4),
            ])
    }

    @Test("without names they are unknown, as sd_listen_fds_with_names says")
    func unnamed() throws {
        #expect(try read(["LISTEN_PID": "42", "LISTEN_FDS": "1"]) == [InheritedSocket(name: "unknown", descriptor: 3)])
        #expect(try read(["LISTEN_PID": "42", "LISTEN_FDS": "0"]).isEmpty)
    }

    @Test(
        "what is another process's, or not there, is none of ours",
        arguments: [
            [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "42"], ["LISTEN_PID": "43", "LISTEN_FDS": "1"],
        ])
    func others(variables: [String: String]) throws {
        #expect(try read(variables).isEmpty)
    }

    @Test(
        "reject- numbers and names that systemd does not write",
        arguments: [
            ["LISTEN_PID": "x", "LISTEN_FDS": "1"], ["LISTEN_PID": "-42", "LISTEN_FDS": "1"],
            ["LISTEN_PID": "042", "LISTEN_FDS": "1"], ["LISTEN_PID": "42", "LISTEN_FDS": ""],
            ["LISTEN_PID": "42", "LISTEN_FDS": "-1"], ["LISTEN_PID": "42", "LISTEN_FDS": "65"],
            ["LISTEN_PID": "42", "LISTEN_FDS": "99999999999"],
            ["LISTEN_PID": "42", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "one"],
            ["LISTEN_PID": "42", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "one:two"],
        ])
    func unclear(variables: [String: String]) {
        #expect(throws: InheritedSocketsUnclear.self) { try read(variables) }
    }
}
