/// Lines on their way to the log, up to so many bytes.
///
/// A line that finds no room is dropped. How many were dropped is a line of its own, in the place of those that are missing.
package struct LogQueue {
    /// The most bytes that wait.
    package let capacity: Int
    private let report: @Sendable (_ dropped: Int) -> String
    private var bytes: [UInt8] = []
    private var dropped = 0
    /// Reports among `bytes`.
    private var reports: [Report] = []

    fileprivate struct Report {
        /// Where its line ends.
        let end: Int
        /// How many dropped lines it counts.
        let count: Int
    }

    /// Lines that were taken out to be written.
    package struct Taken {
        /// Whole lines.
        package let bytes: [UInt8]
        private let reports: [Report]

        fileprivate init(bytes: [UInt8], reports: [Report]) {
            self.bytes = bytes
            self.reports = reports
        }

        /// How many lines end after so many bytes: a report stands for those that it counts.
        fileprivate func lines(after written: Int) -> Int {
            let lost = reports.filter { $0.end > written }
            let lines = bytes[min(written, bytes.count)...].count { $0 == UInt8(ascii: "\n") }
            return lines - lost.count + lost.reduce(0) { $0 + $1.count }
        }
    }

    /// Makes a queue of `capacity` bytes; `report` is the line, with its end, that says how many lines were dropped.
    package init(capacity: Int, report: @escaping @Sendable (_ dropped: Int) -> String) {
        self.capacity = capacity
        self.report = report
    }

    /// Whether there is nothing to write.
    package var isEmpty: Bool { bytes.isEmpty && dropped == 0 }

    /// Whether lines wait, besides a report on those that were dropped.
    package var hasLines: Bool { !bytes.isEmpty }

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
        reports = []
        return taken
    }

    /// Says that of what was taken out only so many bytes were written: the lines that end after them are dropped, and those
    /// that a report among them counts are reported again.
    package mutating func wasCut(_ taken: Taken, after written: Int) { dropped += taken.lines(after: written) }

    private mutating func writeReport() {
        guard dropped > 0 else { return }
        bytes.append(contentsOf: report(dropped).utf8)
        reports.append(Report(end: bytes.count, count: dropped))
        dropped = 0
    }
}
