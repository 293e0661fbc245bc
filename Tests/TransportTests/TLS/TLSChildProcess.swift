#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A program run beside a test.
///
/// Its input is a pipe, its output (both streams) a file; it is killed when released. Not Sendable: each belongs to the test that started it.
final class TLSChildProcess {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let identifier: pid_t
    private var input: Int32
    private let outputPath: String
    private var isReaped = false

    /// Starts `arguments[0]`, found through PATH.
    init(_ arguments: [String], outputPath: String) throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw Failure(description: "pipe: errno \(errno)") }
        // Later children must not inherit the writing end, or this one would never see the end of its input.
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_CREAT | O_WRONLY | O_TRUNC | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var child: pid_t = 0
        let result = unsafe posix_spawnp(&child, arguments[0], &actions, nil, &words, environ)
        for index in unsafe words.indices { unsafe free(words[index]) }
        unsafe posix_spawn_file_actions_destroy(&actions)
        close(ends[0])
        guard result == 0 else {
            close(ends[1])
            throw Failure(description: "cannot start \(arguments[0]), which make deps-test installs: errno \(result)")
        }
        identifier = child
        input = ends[1]
        self.outputPath = outputPath
    }

    deinit {
        kill(identifier, SIGKILL)
        if !isReaped { waitpid(identifier, nil, 0) }
        if input >= 0 { close(input) }
    }

    /// What the program has printed so far.
    var output: String {
        let file = unsafe open(outputPath, O_RDONLY)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = unsafe read(file, &chunk, chunk.count), count > 0 { text += chunk[..<count] }
        return String(decoding: text, as: UTF8.self)
    }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe write(input, bytes, bytes.count)
    }

    /// Ends the program's input.
    func closeInput() {
        close(input)
        input = -1
    }

    /// Waits until the output contains `text` and returns what follows it on the same line; up to ten seconds.
    @discardableResult
    func waitForLine(after text: String) async throws -> String {
        for _ in 0..<1000 {
            // What follows the last newline may still be in the making.
            let printed = output
            let lines = printed.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).dropLast()
            for line in lines {
                guard let range = line.firstRange(of: text) else { continue }
                return String(line[range.upperBound...])
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(description: "no \"\(text)\" in: \(output)")
    }

    /// Waits for the program to end and returns its exit status; up to twenty seconds.
    func waitForExit() async throws -> Int32 {
        var status: Int32 = 0
        for _ in 0..<2000 {
            if unsafe waitpid(identifier, &status, WNOHANG) == identifier {
                isReaped = true
                return (status & 0x7f) == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw Failure(description: "still running: \(output)")
    }

    /// Runs a short program to its end; throws its output unless it succeeded.
    static func run(_ arguments: [String], outputPath: String) throws {
        let process = try TLSChildProcess(arguments, outputPath: outputPath)
        process.closeInput()
        var status: Int32 = 0
        unsafe waitpid(process.identifier, &status, 0)
        process.isReaped = true
        guard status == 0 else { throw Failure(description: "\(arguments): \(process.output)") }
    }
}
