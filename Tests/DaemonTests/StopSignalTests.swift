import Daemon
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("An orderly end is asked for")
struct StopSignalTests {
    @Test("a signal that comes before anybody waits for it is an order all the same")
    func early() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let signals = StopSignals()
            signals.takeOver()
            kill(getpid(), SIGTERM)
            await signals.wait()
            exit(7)
        }
    }
}
