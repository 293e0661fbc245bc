#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A listening socket that the service manager opened for this process.
package struct InheritedSocket: Sendable, Hashable {
    /// What the manager calls it: `FileDescriptorName=`, or the unit that it comes from.
    package let name: String
    /// The open descriptor.
    package let descriptor: Int32

    /// Names a socket.
    package init(name: String, descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
    }
}

/// The service manager's word about sockets cannot be made sense of.
package struct InheritedSocketsUnclear: Error, Equatable, Sendable, CustomStringConvertible {
    /// The variable that is wrong.
    package let variable: String
    /// One line for the operator.
    package var description: String { "the environment's \(variable) is not what systemd writes" }
}

/// Socket activation by environment and descriptors, without a library.
///
/// Source: sd_listen_fds(3).
package enum InheritedSockets {
    /// The first descriptor that is handed over.
    private static let first: Int32 = 3
    /// The most that are taken.
    private static let limit: Int32 = 64
    private static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]

    /// The sockets meant for a process of that number; none when the variables are another's or not there.
    package static func read(
        process: Int32, environment: (String) -> String?
    ) throws(InheritedSocketsUnclear) -> [InheritedSocket] {
        guard let meant = environment(variables[0]) else { return [] }
        guard let number = Int32(meant), "\(number)" == meant, number > 0 else {
            throw InheritedSocketsUnclear(variable: variables[0])
        }
        guard number == process, let text = environment(variables[1]) else { return [] }
        guard let count = Int32(text), "\(count)" == text, (0...limit).contains(count) else {
            throw InheritedSocketsUnclear(variable: variables[1])
        }
        var names = [String](repeating: "unknown", count: Int(count))
        if let given = environment(variables[2]) {
            names = given.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
            guard names.count == Int(count) else { throw InheritedSocketsUnclear(variable: variables[2]) }
        }
        return names.enumerated().map { InheritedSocket(name: $1, descriptor: first + Int32($0)) }
    }

    /// The sockets meant for this process, which programs that it starts do not inherit; the variables are gone then.
    ///
    /// To be called once, before there are other threads that read the environment.
    package static func take() throws(InheritedSocketsUnclear) -> [InheritedSocket] {
        let sockets = try read(process: getpid()) { name in unsafe getenv(name).map { unsafe String(cString: $0) } }
        for name in variables { _ = unsafe unsetenv(name) }
        for socket in sockets { _ = fcntl(socket.descriptor, F_SETFD, FD_CLOEXEC) }
        return sockets
    }
}
