#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The CPU that this thread took.
enum CPU {
    /// Nanoseconds so far.
    static var nanoseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Reading files whole.
enum File {
    /// The bytes of a file.
    static func bytes(of path: String) throws(BenchError) -> [UInt8] {
        guard let file = unsafe fopen(path, "rb") else { throw BenchError("\(path) cannot be read") }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}

/// Why nothing was measured.
struct BenchError: Error, CustomStringConvertible {
    /// One sentence.
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Writes a line to the standard error and ends the process.
func giveUp(_ text: String) -> Never {
    let line = Array(("gate-bench: " + text + "\n").utf8)
    _ = unsafe write(2, line, line.count)
    exit(1)
}
