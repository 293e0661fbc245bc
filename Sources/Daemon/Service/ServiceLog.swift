package import Logging
import Primitives
import Telemetry

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The log of what runs for long: lines on standard error.
package enum ServiceLog {
    /// Makes a logger that writes records from `level` on.
    package static func logger(level: Logger.Level) -> Logger {
        Logger(label: "purser") { label in
            LineLogHandler(label: label, level: level, time: { SystemClock().now().description }, write: put)
        }
    }

    /// A logger for when nobody asked for a log: warnings and worse.
    package static var quiet: Logger { logger(level: .warning) }

    /// One call for a line, so that lines of several threads do not mix.
    @Sendable private static func put(_ line: String) {
        let bytes = Array(line.utf8)
        _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
    }
}
