import Proxy

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How many files and sockets the process may have open.
struct DescriptorLimit: Equatable {
    /// The number.
    let count: Int

    /// Books, listeners, metrics, spooled bodies, and what the system's libraries open.
    private static let ownUse = 64 + MetricsConnections.limit

    /// What is in force; a number that stands for no limit comes out as a million.
    static var current: DescriptorLimit {
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return DescriptorLimit(count: 1024) }
        return DescriptorLimit(count: Int(min(limit.rlim_cur, 1 << 20)))
    }

    /// Takes as many as the system allows this process: what a shell or a service manager sets at first is meant for
    /// programs that use `select`.
    static func raise() {
        var limit = rlimit()
        guard unsafe getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 1 << 20))
        _ = unsafe setrlimit(resource, &limit)
    }

    /// Limits under which descriptors are left for the rest of the process: each of the agents' connections may need one to
    /// a gateway.
    func fitting(_ limits: ConnectionLimits) -> ConnectionLimits {
        let total = min(limits.total, max(16, (count - Self.ownUse) / 2))
        // Where there is less than was asked for, one agent is not to have all of it.
        let share = total < limits.total ? max(1, total / 2) : total
        return ConnectionLimits(total: total, perAgent: min(limits.perAgent, share))
    }

    #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
    private static let resource = RLIMIT_NOFILE
    #endif
}
