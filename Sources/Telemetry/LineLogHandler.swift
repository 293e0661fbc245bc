package import Logging

/// Writes log records as single lines: time, level, message, then `key=value` in alphabetical order.
///
/// Messages are constant texts; everything variable is metadata. Control characters are replaced, so that nobody can
/// forge a line, and values are cut at 512 characters.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String
    private let time: @Sendable () -> String
    private let write: @Sendable (String) -> Void

    /// Makes a handler; `time` renders the current time, `write` takes one line with its end.
    package init(
        label: String, level: Logger.Level, time: @escaping @Sendable () -> String,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.label = label
        self.logLevel = level
        self.time = time
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var line = "\(time()) \(event.level.rawValue) \(label): \(event.message.description.onOneLine)"
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(value.description.onOneLine.quotedIfNeeded)"
        }
        write(line + "\n")
    }
}

extension String {
    fileprivate var onOneLine: String {
        if utf8.count <= 512, utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) { return self }
        return String(unicodeScalars.prefix(512).map { $0.value < 0x20 || $0.value == 0x7f ? " " : Character($0) })
    }

    fileprivate var quotedIfNeeded: String {
        guard isEmpty || utf8.contains(where: { $0 == 0x20 || $0 == 0x22 }) else { return self }
        return "\"\(replacing("\"", with: "'"))\""
    }
}
