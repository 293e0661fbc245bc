#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where commands write to: the process's standard streams, or a test's.
package struct Console: Sendable {
    /// Takes what was asked for.
    package let output: @Sendable (String) -> Void
    /// Takes notes and errors.
    package let error: @Sendable (String) -> Void

    /// Makes a console; both closures take whole lines with their ends.
    package init(output: @escaping @Sendable (String) -> Void, error: @escaping @Sendable (String) -> Void) {
        self.output = output
        self.error = error
    }

    /// The console of the command that runs.
    @TaskLocal package static var current = Console(
        output: { put($0, to: STDOUT_FILENO) }, error: { put($0, to: STDERR_FILENO) })

    /// Prints a line of what was asked for.
    static func print(_ line: String) { current.output(line + "\n") }

    /// Prints a remark that is no part of the output.
    static func note(_ line: String) { current.error("purser: \(line)\n") }

    private static func put(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
