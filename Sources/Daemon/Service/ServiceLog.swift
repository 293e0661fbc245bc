package import Logging
import Primitives
import Telemetry

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The log of what runs for long: lines on standard error, which whoever logs does not wait for.
package enum ServiceLog {
    /// How long a process that ends waits for its last lines to be taken, in milliseconds.
    private static let patience = 1000

    /// Makes a logger that writes records from `level` on.
    package static func logger(level: Logger.Level) -> Logger {
        let output = output
        return Logger(label: "purser") { LineLogHandler(label: $0, level: level, output: output) }
    }

    /// A logger for when nobody asked for a log: warnings and worse.
    package static var quiet: Logger { logger(level: .warning) }

    private static let output: LineLogOutput = {
        atexit { ServiceLog.flush() }
        for number in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP] { signal(number) { ServiceLog.crash($0) } }
        return LineLogOutput(
            time: { SystemClock().now().description }, seconds: { Int64(monotonicSeconds()) },
            write: { ServiceLog.writer.put($0) })
    }()

    private static let writer = LogWriter(
        descriptor: STDERR_FILENO, report: { ServiceLog.output.reportDropped($0) },
        idle: { ServiceLog.output.reportLeftOut() })

    private static func flush() {
        output.reportLeftOut(all: true)
        writer.flush(milliseconds: patience)
    }

    /// Lets the writing thread finish, for a moment, and then ends as the signal ends a process.
    private static func crash(_ number: Int32) {
        signal(number, SIG_DFL)
        for _ in 0..<200 where !writer.hasWrittenAll { usleep(1000) }
        raise(number)
    }

    private static func monotonicSeconds() -> Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec
    }
}
