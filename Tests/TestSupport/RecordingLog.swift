package import Logging
import Synchronization

/// Lines that were logged, as `level: message key=value ...` with the keys in alphabetical order.
package final class RecordingLog: Sendable {
    private let recorded = Mutex<[String]>([])

    /// Makes an empty log.
    package init() {}

    /// The lines so far.
    package var lines: [String] { recorded.withLock { $0 } }

    /// A logger that writes here, from the lowest level on.
    package var logger: Logger {
        Logger(label: "test") { _ in Handler(log: self) }
    }

    private struct Handler: LogHandler {
        let log: RecordingLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let values = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
            let line = "\(event.level.rawValue): \(event.message)" + values.joined()
            log.recorded.withLock { $0.append(line) }
        }
    }
}
