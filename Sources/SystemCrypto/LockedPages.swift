internal import COpenSSL

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Whole pages of their own between two inaccessible ones: locked, out of core dumps, zero in a forked child.
@unsafe struct LockedPages {
    /// The first usable byte.
    let start: UnsafeMutableRawPointer
    /// Usable bytes, a multiple of the page size.
    let size: Int

    /// Maps room for at least `count` bytes, all zero; nothing is left behind on failure.
    static func map(count: Int) throws(SecretMemoryError) -> LockedPages {
        guard count > 0, count <= 1 << 20 else { throw .exhausted }
        let size = (count + pageSize - 1) / pageSize * pageSize
        let outer = unsafe mmap(nil, size + 2 * pageSize, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let outer = unsafe outer, unsafe outer != MAP_FAILED else { throw .exhausted }
        let pages = unsafe LockedPages(start: outer + pageSize, size: size)
        do {
            try unsafe pages.protect()
        } catch {
            unsafe munmap(outer, size + 2 * pageSize)
            throw error
        }
        return unsafe pages
    }

    private func protect() throws(SecretMemoryError) {
        guard unsafe mprotect(start, size, PROT_READ | PROT_WRITE) == 0 else { throw .protectionRefused }
        guard unsafe mlock(start, size) == 0 else { throw .lockRefused(limit: lockLimit()) }
        #if os(Linux)
        guard unsafe madvise(start, size, MADV_DONTDUMP) == 0 else { throw .protectionRefused }
        // Older kernels do not know this advice; the daemon forks nothing that would read the pages.
        _ = unsafe madvise(start, size, MADV_WIPEONFORK)
        #endif
    }

    /// Makes the pages read-only.
    func seal() throws(SecretMemoryError) {
        guard unsafe mprotect(start, size, PROT_READ) == 0 else { throw .protectionRefused }
    }

    /// Overwrites the pages and gives them back.
    func wipeAndUnmap() {
        if unsafe mprotect(start, size, PROT_READ | PROT_WRITE) == 0 { unsafe OPENSSL_cleanse(start, size) }
        unsafe munmap(start - pageSize, size + 2 * pageSize)
    }
}

private let pageSize = max(Int(sysconf(Int32(_SC_PAGESIZE))), 4096)

/// RLIMIT_MEMLOCK in bytes, 0 when unknown.
private func lockLimit() -> UInt64 {
    var limit = rlimit()
    #if canImport(Glibc)
    let resource = __rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue)
    #else
    let resource = RLIMIT_MEMLOCK
    #endif
    guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
    return UInt64(limit.rlim_cur)
}
