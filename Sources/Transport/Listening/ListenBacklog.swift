#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How many connections may wait to be accepted.
package enum ListenBacklog {
    /// Says so of a socket that listens; NIO gives one that it did not bind 128, and a full backlog turns clients of a Unix
    /// socket away.
    package static func set(_ count: Int32, of descriptor: Int32) { _ = listen(descriptor, count) }
}
