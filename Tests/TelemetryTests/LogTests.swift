import Logging
import Synchronization
import Testing

@testable import Telemetry

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("The log")
struct LogTests {
    private static func queue(_ capacity: Int) -> LogQueue {
        LogQueue(capacity: capacity) { "dropped \($0)\n" }
    }

    private static func text(_ taken: LogQueue.Taken) -> String { String(decoding: taken.bytes, as: UTF8.self) }

    @Test("what finds no room is dropped, counted, and reported where it is missing")
    func dropped() {
        var queue = Self.queue(10)
        for line in ["aaaa\n", "bbbb\n", "cccc\n", "dddd\n"] { queue.append(line) }
        let first = queue.take()
        #expect(Self.text(first) == "aaaa\nbbbb\ndropped 2\n")
        #expect(queue.isEmpty)
        for line in ["aaaa\n", "bbbb\n", "cccc\n"] { queue.append(line) }
        _ = queue.take()
        queue.append("dddd\n")
        let next = queue.take()
        #expect(Self.text(next) == "dddd\n")
    }

    @Test("what was taken out and could not be written is counted once, its reports by what they count")
    func notWritten() {
        var queue = Self.queue(10)
        for line in ["aaaa\n", "bbbb\n", "cccc\n"] { queue.append(line) }
        let taken = queue.take()
        // A part of "bbbb", and the report of "cccc".
        queue.wasCut(taken, after: 7)
        let report = queue.take()
        #expect(Self.text(report) == "dropped 2\n")
        queue.wasCut(report, after: 0)
        queue.append("dddd\n")
        let again = queue.take()
        #expect(Self.text(again) == "dropped 2\ndddd\n")
        // The report was written.
        queue.wasCut(again, after: 10)
        #expect(!queue.hasLines && !queue.isEmpty)
        let last = queue.take()
        #expect(Self.text(last) == "dropped 1\n")
    }

    @Test("the first lines of a minute about one agent and code are logged, the others counted")
    func limit() {
        var limit = LogLimit()
        let refused = LogLimit.Key(message: "refused", agent: "a", code: "x")
        let other = LogLimit.Key(message: "refused", agent: "b", code: "x")
        let allowed = (0..<100).count { _ in limit.allows(refused, at: 0) }
        #expect(allowed == LogLimit.lines)
        let isOtherAllowed = limit.allows(other, at: 59)
        let (early, ended) = (limit.takeEnded(at: 59), limit.takeEnded(at: 60))
        #expect(isOtherAllowed && early.isEmpty && limit.isWaiting)
        #expect(ended == [.init(key: refused, count: 80)])
        let isAllowedAgain = limit.allows(refused, at: 60)
        let last = limit.takeEnded(at: 200)
        #expect(isAllowedAgain && last.isEmpty && !limit.isWaiting)
    }

    @Test("however many keys there are, memory is bounded")
    func manyKeys() {
        var limit = LogLimit()
        let keys = (0..<2 * LogLimit.keys).map { LogLimit.Key(message: "m", agent: "\($0)", code: "") }
        let allowed = keys.count { limit.allows($0, at: 0) }
        #expect(allowed == LogLimit.keys + LogLimit.lines)
        let leftOut = limit.takeAll()
        #expect(leftOut.map(\.count) == [LogLimit.keys - LogLimit.lines])
    }

    @Test("refusals of an agent are left out beyond some a minute and counted; lines about payments are not")
    func handler() {
        let (lines, seconds) = (Lines(), Seconds())
        let output = LineLogOutput(
            time: { "now" }, seconds: { seconds.now }, write: { lines.append($0) })
        let logger = Logger(label: "purser") { LineLogHandler(label: $0, level: .info, output: output) }
        for number in 0..<50 {
            logger.info("refused", metadata: ["agent": "a", "code": "cap-day", "payment": "\(number)"])
            logger.info("settled", metadata: ["agent": "a", "payment": "\(number)"])
        }
        #expect(lines.all.count { $0.contains(" refused ") } == LogLimit.lines)
        #expect(lines.all.count { $0.contains(" settled ") } == 50)
        seconds.set(61)
        #expect(!output.reportLeftOut())
        #expect(
            lines.all.last
                == "now notice purser: the same line was left out so often within a minute agent=a code=cap-day count=30 line=refused\n"
        )
    }

    @Test("nobody waits for a reader that has stalled; later it gets what fits, and how many lines are missing")
    func stalled() {
        let pipe = Pipe()
        // The queue alone holds more than the pipe.
        let writer = LogWriter(descriptor: pipe.writing, capacity: 128 << 10) { "dropped \($0)\n" }
        let line = String(repeating: "x", count: 99) + "\n"
        // More than the pipe, the queue and the thread can hold.
        for _ in 0..<10_000 { writer.put(line) }
        #expect(!writer.hasWrittenAll)
        #expect(!writer.flush(milliseconds: 20))
        let read = pipe.read { $0.contains("dropped ") && writer.hasWrittenAll }
        let lines = read.split(separator: "\n")
        let whole = lines.count { $0.count == 99 }
        let dropped = lines.compactMap { $0.hasPrefix("dropped ") ? Int($0.dropFirst(8)) : nil }.reduce(0, +)
        #expect(whole + dropped == 10_000 && dropped > 0)
    }

    @Test("a closed pipe costs lines and not the process, and those that could not be written are reported")
    func closed() {
        let pipe = Pipe()
        let writer = LogWriter(descriptor: pipe.writing) { "dropped \($0)\n" }
        let spare = dup(pipe.reading)
        pipe.stopReading()
        _ = spare
        writer.put("before\n")
        #expect(pipe.read(from: spare) { $0.contains("before") } == "before\n")
        close(spare)
        for _ in 0..<10 { writer.put("lost\n") }
        #expect(writer.flush(milliseconds: 2000))
        // Nobody can read from it again; the thread goes on trying, and waits in no loop.
        writer.put("lost\n")
        #expect(!writer.flush(milliseconds: 1) || writer.hasWrittenAll)
    }
}

extension LogTests {
    @Test("a line that is cut off gets an end before the next one, and what waits then is not said to be written")
    func cut() throws {
        let path = "/tmp/purser-log-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        #expect(unsafe mkfifo(path, 0o600) == 0)
        defer { unsafe unlink(path) }
        let first = unsafe open(path, O_RDONLY | O_NONBLOCK)
        let writing = unsafe open(path, O_WRONLY)
        let second = Mutex<Int32>(-1)
        let writer = LogWriter(descriptor: writing) { "dropped \($0)\n" }
        writer.put(String(repeating: "x", count: 200_000) + "\n")
        #expect(!writer.flush(milliseconds: 200))
        close(first)
        // What the pipe holds is lost with its reader or not, as the system likes.
        usleep(50_000)
        second.withLock { unsafe $0 = open(path, O_RDONLY | O_NONBLOCK) }
        writer.put("after\n")
        var text = ""
        var piece = [UInt8](repeating: 0, count: 1 << 20)
        for _ in 0..<5_000 where !text.contains("after") {
            let count = unsafe Glibc.read(second.withLock { $0 }, &piece, piece.count)
            if count > 0 { text += String(decoding: piece[..<count], as: UTF8.self) }
            usleep(1000)
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.suffix(3) == ["dropped 1", "after", ""])
        #expect(lines.dropLast(3).allSatisfy { line in line.allSatisfy { $0 == "x" } })
        close(second.withLock { $0 })
    }
}

/// A clock that is set.
private final class Seconds: Sendable {
    private let seconds = Atomic<Int64>(0)
    var now: Int64 { seconds.load(ordering: .relaxed) }
    func set(_ now: Int64) { seconds.store(now, ordering: .relaxed) }
}

/// Lines in order.
private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func append(_ line: String) { lines.withLock { $0.append(line) } }
}

/// A pipe whose reader reads when it is told to.
private final class Pipe {
    let writing: Int32
    private(set) var reading: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        _ = unsafe pipe(&ends)
        (reading, writing) = (ends[0], ends[1])
    }

    func stopReading() {
        close(reading)
        reading = -1
    }

    /// Reads until it has what is wanted, or ten seconds have passed.
    func read(from other: Int32? = nil, until isEnough: (String) -> Bool) -> String {
        let descriptor = other ?? reading
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var text = ""
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        for _ in 0..<10_000 {
            let count = unsafe Glibc.read(descriptor, &piece, piece.count)
            if count > 0 { text += String(decoding: piece[..<count], as: UTF8.self) } else if isEnough(text) { break }
            usleep(1000)
        }
        return text
    }
}
