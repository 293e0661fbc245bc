package import Logging
import Synchronization

/// Writes log records as single lines: time, level, message, then `key=value` in alphabetical order.
///
/// Messages are constant texts; everything variable is metadata. Control characters are replaced, so that nobody can
/// forge a line, and values are cut at 512 characters. Lines that an agent can cause as often as it likes, which are those
/// about an agent and no payment and those with a refusal's code, follow a ``LogLimit``.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String
    private let output: LineLogOutput

    /// Makes a handler; handlers that share an output share its limits.
    package init(label: String, level: Logger.Level, output: LineLogOutput) {
        self.label = label
        self.logLevel = level
        self.output = output
    }

    package subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let message = event.message.description
        if let agent = all["agent"], all["code"] != nil || all["payment"] == nil {
            let key = LogLimit.Key(
                message: message, agent: agent.description, code: all["code"].map(\.description) ?? "")
            guard output.allows(key) else { return }
        }
        output.write(event.level, label, message, all)
    }
}

/// Where lines go, and which of them do not.
package final class LineLogOutput: Sendable {
    private let time: @Sendable () -> String
    private let seconds: @Sendable () -> Int64
    private let write: @Sendable (String) -> Void
    private let limit = Mutex(LogLimit())

    /// Makes an output; `time` renders the current time, `seconds` counts seconds and never goes back, `write` takes one line
    /// with its end.
    package init(
        time: @escaping @Sendable () -> String, seconds: @escaping @Sendable () -> Int64,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.time = time
        self.seconds = seconds
        self.write = write
    }

    /// Reports what was left out in windows that are over, or in all; returns whether some window is still open.
    @discardableResult
    package func reportLeftOut(all: Bool = false) -> Bool {
        let (leftOut, isWaiting) = limit.withLock { limit in
            (all ? limit.takeAll() : limit.takeEnded(at: seconds()), limit.isWaiting)
        }
        for one in leftOut { report(one) }
        return isWaiting
    }

    /// The line, with its end, that says how many lines were dropped because nobody took them.
    package func reportDropped(_ count: Int) -> String {
        line(.warning, "purser", "log lines dropped: they could not be written in time", ["count": "\(count)"])
    }

    fileprivate func allows(_ key: LogLimit.Key) -> Bool {
        let (isAllowed, leftOut) = limit.withLock { limit in
            let now = seconds()
            let leftOut = limit.takeEnded(at: now)
            return (limit.allows(key, at: now), leftOut)
        }
        for one in leftOut { report(one) }
        return isAllowed
    }

    fileprivate func write(_ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata) {
        write(line(level, label, message, metadata))
    }

    private func report(_ leftOut: LogLimit.LeftOut) {
        var metadata: Logger.Metadata = [
            "agent": "\(leftOut.key.agent)", "count": "\(leftOut.count)", "line": "\(leftOut.key.message)",
        ]
        if !leftOut.key.code.isEmpty { metadata["code"] = "\(leftOut.key.code)" }
        write(.notice, "purser", "the same line was left out so often within a minute", metadata)
    }

    private func line(
        _ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata
    ) -> String {
        var line = "\(time()) \(level.rawValue) \(label): \(message.onOneLine)"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            line += " \(key)=\(value.description.onOneLine.quotedIfNeeded)"
        }
        return line + "\n"
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
