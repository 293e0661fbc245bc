/// Lines on their way to the log, up to so many bytes.
///
/// A line that finds no room is dropped. How many were dropped is a line of its own, in the place of those that are missing.
package struct LogQueue {
    /// The most bytes that wait.
    package let capacity: Int
    private let report: @Sendable (_ dropped: Int) -> String
    private var bytes: [UInt8] = []
    private var dropped = 0
    /// Reports among `bytes`, and the dropped lines that they count.
    private var reports = (lines: 0, count: 0)

    /// Lines that were taken out to be written.
    package struct Taken {
        /// Whole lines.
        package let bytes: [UInt8]
        fileprivate let reports: (lines: Int, count: Int)
    }

    /// Makes a queue of `capacity` bytes; `report` is the line, with its end, that says how many lines were dropped.
    package init(capacity: Int, report: @escaping @Sendable (_ dropped: Int) -> String) {
        self.capacity = capacity
        self.report = report
    }

    /// Whether there is nothing to write.
    package var isEmpty: Bool { bytes.isEmpty && dropped == 0 }

    /// Adds one line with its end, or drops it.
    package mutating func append(_ line: String) {
        let count = line.utf8.count
        guard bytes.count + count <= capacity else {
            dropped += 1
            return
        }
        writeReport()
        bytes.append(contentsOf: line.utf8)
    }

    /// Takes out everything that waits, and a report on what was dropped.
    package mutating func take() -> Taken {
        writeReport()
        let taken = Taken(bytes: bytes, reports: reports)
        bytes = []
        reports = (0, 0)
        return taken
    }

    /// Says that the last `count` lines of what was taken out were not written; those that a report among them counts are
    /// reported again.
    package mutating func wereNotWritten(_ count: Int, of taken: Taken) {
        dropped += max(count, taken.reports.lines) - taken.reports.lines + taken.reports.count
    }

    private mutating func writeReport() {
        guard dropped > 0 else { return }
        bytes.append(contentsOf: report(dropped).utf8)
        reports = (reports.lines + 1, reports.count + dropped)
        dropped = 0
    }
}
