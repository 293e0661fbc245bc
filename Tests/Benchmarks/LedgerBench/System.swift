import Primitives

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Clocks and counters of the operating system.
enum System {
    /// Wall-clock time.
    static var now: Timestamp {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Seconds of a clock that only goes forward.
    static var seconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// Seconds of CPU that this process took, in all its threads.
    static var cpu: (own: Double, kernel: Double) {
        var usage = rusage()
        #if canImport(Glibc)
        _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
        _ = unsafe getrusage(RUSAGE_SELF, &usage)
        #endif
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
        return (seconds(usage.ru_utime), seconds(usage.ru_stime))
    }

    /// Bytes that may still be written to the file system of a folder.
    static func room(in folder: String) -> Int {
        var status = statvfs()
        guard unsafe statvfs(folder, &status) == 0 else { return 0 }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}

/// Fast bytes without a pattern: they only have to differ.
struct Noise {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
    }

    /// Eight bytes (SplitMix64).
    mutating func word() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }

    /// 32 bytes.
    mutating func bytes32() -> Bytes32 { Bytes32(words: (word(), word(), word(), word())) }
}

/// A folder of its own for the files of a run.
struct WorkFolder {
    /// Its path.
    let path: String

    /// Makes the folder; throws when the file system has not so much room.
    init(_ parent: String, room: Int) throws(BenchError) {
        _ = unsafe mkdir(parent, 0o755)
        let free = System.room(in: parent)
        let needed = room + 1 << 30
        guard free >= needed else {
            throw BenchError(
                "the books need \(needed >> 30) GiB in \(parent), and only \(free >> 30) GiB are free; "
                    + "ask for fewer past payments with --past, or for another place with --folder")
        }
        path = parent + "/ledger-bench-\(getpid())"
        guard unsafe mkdir(path, 0o700) == 0 else { throw BenchError("\(path) cannot be made") }
    }

    /// Removes the folder and the files of ours in it.
    func remove() {
        for name in ["plain", "bare.db", "small.db", "large.db"] {
            for suffix in ["", "-wal", "-shm", "-journal", ".generation"] { unsafe unlink("\(path)/\(name)\(suffix)") }
        }
        unsafe rmdir(path)
    }

    /// The bytes of a file; 0 when there is none.
    static func size(of path: String) -> Int {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Makes the system forget what it holds of a file in memory, where it can be told.
    static func chill(_ path: String) {
        #if canImport(Glibc)
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
        close(descriptor)
        #endif
    }
}
