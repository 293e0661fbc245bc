internal import COpenSSL

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the process does at its start so that its memory does not end up elsewhere.
package enum ProcessHardening {
    /// What a crash, an abort or Ctrl-\ ends a process with.
    private static let fatalSignals = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGQUIT]

    /// Forbids core files and, on Linux, other processes of the same user from reading this one's memory, and takes the
    /// fatal signals back from Swift's backtracer, which would print registers and memory into the log.
    ///
    /// Returns false when the system refused any of it.
    package static func disableDumps() -> Bool {
        for number in fatalSignals { signal(number, SIG_DFL) }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        #if canImport(Glibc)
        let limited = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0
        #else
        let limited = unsafe setrlimit(RLIMIT_CORE, &none) == 0
        #endif
        #if os(Linux)
        return purser_set_not_dumpable() == 0 && limited
        #else
        return limited
        #endif
    }

    /// Whether the process could still leave a core file or be read by another process of the same user.
    package static var isDumpable: Bool {
        var limit = rlimit()
        #if canImport(Glibc)
        let known = unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0
        #else
        let known = unsafe getrlimit(RLIMIT_CORE, &limit) == 0
        #endif
        #if os(Linux)
        return purser_is_dumpable() != 0 || !known || limit.rlim_cur != 0
        #else
        return !known || limit.rlim_cur != 0
        #endif
    }
}
