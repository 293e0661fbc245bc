import SystemCrypto
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Secrets in memory")
struct SecretBytesTests {
    @Test("what was filled in is what is lent, and no more than that")
    func fill() throws {
        let secret = try SecretBytes(capacity: 100) { span in
            for index in 0..<3 { span[index] = UInt8(index + 1) }
            return 3
        }
        #expect(secret.count == 3)
        secret.withBytes { bytes in
            #expect(bytes.count == 3)
            #expect(bytes[0] == 1 && bytes[2] == 3)
        }
    }

    @Test("a source that gives up leaves no secret")
    func abandoned() {
        #expect(throws: SecretMemoryError.notFilled) { try SecretBytes(capacity: 8) { _ in nil } }
        #expect(throws: SecretMemoryError.notFilled) { try SecretBytes(capacity: 8) { _ in 9 } }
        #expect(throws: SecretMemoryError.exhausted) { try SecretBytes(capacity: 0) { _ in 0 } }
        #expect(throws: SecretMemoryError.exhausted) { try SecretBytes(capacity: 2 << 20) { _ in 0 } }
    }

    @Test("bytes moved in are gone where they came from")
    func copyAndWipe() throws {
        var source: [UInt8] = [1, 2, 3]
        let secret = try SecretBytes.copyAndWipe(&source)
        #expect(source.isEmpty)
        #expect(secret.withBytes { $0.count == 3 && $0[1] == 2 })
    }

    @Test("random secrets differ")
    func random() throws {
        let first = try SecretBytes.random(count: 32)
        let second = try SecretBytes.random(count: 32)
        #expect(first.withBytes { first in second.withBytes { !constantTimeEquals(first, $0) } })
    }

    @Test("a thousand secrets come and go without using up the lock limit")
    func release() throws {
        for _ in 0..<3000 { _ = try SecretBytes.random(count: 32) }
    }

    #if os(Linux)
    @Test("the pages are locked, read-only, out of core dumps, and wiped in a child")
    func pageFlags() throws {
        let secret = try SecretBytes.random(count: 32)
        let address = secret.withBytes { bytes in
            unsafe bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        }
        var mapping: Substring?
        var flags: [Substring] = []
        let maps = String(decoding: try Vectors.bytes(atPath: "/proc/self/smaps"), as: UTF8.self)
        for line in maps.split(separator: "\n") {
            let range = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            if range.count == 2 { mapping = (range[0]..<range[1]).contains(address) ? line : nil }
            if mapping?.contains("r--p") == true, line.hasPrefix("VmFlags:") { flags = line.split(separator: " ") }
        }
        #expect(flags.contains("lo"), "locked")
        #expect(flags.contains("dd"), "not dumped")
        #expect(flags.contains("wf"), "wiped on fork")
        #expect(!flags.contains("wr"), "not writable")
    }

    @Test("a process that has used up its lock limit gets a clear error")
    func lockLimit() async {
        await #expect(processExitsWith: .success) {
            // Root may lock without limit, so the child drops that privilege first.
            if geteuid() == 0 { _ = setuid(65_534) }
            var limit = rlimit(rlim_cur: 0, rlim_max: 0)
            _ = unsafe setrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit)
            #expect(throws: SecretMemoryError.lockRefused(limit: 0)) { try SecretBytes.random(count: 32) }
        }
    }

    @Test("a hardened process leaves no core file and cannot be read by its user")
    func hardening() async {
        await #expect(processExitsWith: .success) {
            #expect(ProcessHardening.disableDumps())
            #expect(!ProcessHardening.isDumpable)
        }
    }

    @Test("a crash of a hardened process prints nothing, whoever wanted to report it")
    func silentCrash() async throws {
        let result = await #expect(processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]) {
            let fatal = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGQUIT]
            for number in fatal {
                signal(number) { _ in
                    _ = unsafe write(STDERR_FILENO, "registers", 9)
                    _exit(0)
                }
            }
            _ = ProcessHardening.disableDumps()
            for number in fatal {
                var action = sigaction()
                #expect(unsafe sigaction(number, nil, &action) == 0)
                #expect(unsafe action.__sigaction_handler.sa_handler == nil, "signal \(number)")
            }
            raise(SIGSEGV)
        }
        // The stream is not empty: the testing library writes bytes of its own to it.
        let printed = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(!printed.contains("registers") && !printed.contains("***"))
    }
    #endif
}
