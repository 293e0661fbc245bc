import Daemon
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

@Suite("Socket activation")
struct ActivationTests {
    /// The program that was built beside the tests.
    private static func binary() throws -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &buffer, buffer.count - 1)
        try #require(count > 0)
        let path = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path[..<(path.lastIndex(of: "/") ?? path.endIndex)] + "/purser"
    }

    /// Starts the daemon as systemd does: the socket is descriptor 3, and the variables say so.
    private static func start(_ state: String, passing socket: Int32) throws -> pid_t {
        let script = #"LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=agents exec "$0" serve --state "$1" 2>"$1/log""#
        let arguments = ["sh", "-c", script, try binary(), state]
        var words = unsafe arguments.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe words.indices { unsafe free(words[index]) } }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, socket, 3)
        var child: pid_t = 0
        let code = unsafe posix_spawn(&child, "/bin/sh", &actions, nil, &words, environ)
        try #require(code == 0)
        return child
    }

    private static func open(_ path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32) throws
        -> Int32
    {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(code == 0)
        return descriptor
    }

    @Test("what was sent before the daemon ran is answered by it, to the agent whose user connected")
    func activation() async throws {
        let place = try StateForTests(
            configuration: """
                listen: systemd:agents
                peers: { "uid:\(geteuid())": scout }
                gateways: { lab: { url: http://127.0.0.1:1 } }
                """)
        await place.done("agent", "add", "scout", "--cap", "day=5")
        let path = place.folder.path("passed.sock")
        let listener = try unsafe Self.open(path, bind)
        #expect(listen(listener, 8) == 0)
        let client = try unsafe Self.open(path, connect)
        defer { for descriptor in [listener, client] { close(descriptor) } }
        let request = Array("GET /lab/x HTTP/1.1\r\nhost: any\r\nconnection: close\r\n\r\n".utf8)
        let written = unsafe write(client, request, request.count)
        #expect(written == request.count)

        let daemon = try Self.start(place.folder.path, passing: listener)
        var time = timeval(tv_sec: 20, tv_usec: 0)
        unsafe setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = unsafe read(client, &chunk, chunk.count), count > 0 { answer += chunk[..<count] }
        let text = String(decoding: answer, as: UTF8.self)
        let log = try place.folder.lines(of: "log")
        // Nothing answers at that gateway; the agent was known, or it would be a 401.
        #expect(text.hasPrefix("HTTP/1.1 502 ") && text.contains("gateway-unreachable"), "\(text) \(log)")
        kill(daemon, SIGTERM)
        var status: Int32 = -1
        let ended = unsafe waitpid(daemon, &status, 0)
        #expect(ended == daemon && status == 0, "\(log)")
        #expect(try place.folder.entries().contains("passed.sock"))
    }

    @Test("a daemon that is not handed what its configuration names does not start")
    func missing() async throws {
        let place = try StateForTests(configuration: "listen: systemd:agents\n")
        let run = await place.run("serve")
        #expect(
            run.errors.hasSuffix(
                "cannot listen on systemd:agents: systemd passed no such socket (FileDescriptorName= names one)\n"))
    }
}
