import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What can go wrong on a socket.
enum WireError: Error, Equatable {
    /// Nothing came in time.
    case timeout
    /// The peer closed, or the connection was reset, before everything expected had come.
    case closed(reset: Bool)
    /// The bytes are not a message.
    case malformed(String)
    /// The system refused.
    case system(Int32)
}

/// One end of a TCP connection with blocking calls, which knows just enough HTTP/1.1 to tell messages apart.
final class Wire: Sendable {
    private let descriptor: Int32
    private let isOpen = Mutex(true)
    private let buffer = Mutex<[UInt8]>([])
    private let log = Mutex<[UInt8]>([])
    private let isLogging = Mutex(true)

    init(descriptor: Int32, timeout: Int = 15) {
        self.descriptor = descriptor
        setTimeout(seconds: timeout)
        var on: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    }

    /// Connects to a loopback port; a receive buffer that is given stays that small.
    static func connect(port: Int, receiveBuffer: Int32? = nil, timeout: Int = 15) throws -> Wire {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw WireError.system(errno) }
        if var size = receiveBuffer { unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        var address = Loopback.address(port: port)
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            Glibc.close(descriptor)
            throw WireError.system(errno)
        }
        return Wire(descriptor: descriptor, timeout: timeout)
    }

    /// Connects to a Unix socket.
    static func connect(path: String, timeout: Int = 15) throws -> Wire {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw WireError.system(errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let code = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            let problem = errno
            Glibc.close(descriptor)
            throw WireError.system(problem)
        }
        return Wire(descriptor: descriptor, timeout: timeout)
    }

    deinit { close() }

    /// Everything received so far.
    var received: [UInt8] { log.withLock { $0 } }

    /// Whether this side has closed it.
    var hasEnded: Bool { isOpen.withLock { !$0 } }

    /// Stops keeping what is received.
    func stopLogging() { isLogging.withLock { $0 = false } }

    func setTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    // MARK: Bytes

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                throw errno == EAGAIN ? WireError.timeout : WireError.closed(reset: errno == ECONNRESET)
            }
            done += count
        }
    }

    /// Receives once; returns false at the end of the stream.
    private func fill() throws -> Bool {
        let chunk = try receiveFresh(64 << 10)
        guard !chunk.isEmpty else { return false }
        buffer.withLock { $0.append(contentsOf: chunk) }
        return true
    }

    /// Receives up to `count` bytes that were not read yet; empty at the end of the stream.
    func receive(_ count: Int) throws -> [UInt8] {
        let early = buffer.withLock { bytes in
            let taken = Array(bytes.prefix(count))
            bytes.removeFirst(taken.count)
            return taken
        }
        return early.isEmpty ? try receiveFresh(count) : early
    }

    /// Receives from the socket, whatever is still kept from before.
    private func receiveFresh(_ count: Int) throws -> [UInt8] {
        let bytes = try [UInt8](capacity: count) { output in
            try unsafe output.withUnsafeMutableBufferPointer { target, initialized in
                let got = unsafe recv(descriptor, target.baseAddress, count, 0)
                guard got >= 0 else {
                    throw errno == EAGAIN ? WireError.timeout : WireError.closed(reset: errno == ECONNRESET)
                }
                initialized = got
            }
        }
        if isLogging.withLock({ $0 }) { log.withLock { $0.append(contentsOf: bytes) } }
        return bytes
    }

    private func need() throws {
        guard try fill() else { throw WireError.closed(reset: false) }
    }

    /// Reads exactly `count` bytes.
    func read(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let piece = try receive(min(count - bytes.count, 1 << 20))
            guard !piece.isEmpty else { throw WireError.closed(reset: false) }
            bytes += piece
        }
        return bytes
    }

    private func readThrough(_ end: [UInt8]) throws -> [UInt8] {
        while true {
            let found = buffer.withLock { bytes -> [UInt8]? in
                guard bytes.count >= end.count else { return nil }
                for index in 0...bytes.count - end.count where bytes[index..<index + end.count].elementsEqual(end) {
                    let taken = Array(bytes[..<(index + end.count)])
                    bytes.removeFirst(taken.count)
                    return taken
                }
                return nil
            }
            if let found { return found }
            try need()
        }
    }

    /// Reads until the peer closes.
    func readToEnd() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let piece = try receive(1 << 20)
            guard !piece.isEmpty else { return bytes }
            bytes += piece
        }
    }

    /// Whether the peer has closed, after at most the time-out.
    func isClosedByPeer() -> Bool {
        do { return try receive(1).isEmpty } catch { return error as? WireError != .timeout }
    }

    // MARK: Messages

    /// Reads one request; nil when the connection ends instead.
    func readRequest() throws -> Message? {
        guard let head = try readHead() else { return nil }
        var message = Message(head: head)
        message.raw = try readBody(of: message, isResponse: false)
        return message
    }

    /// Reads one response; interim ones are skipped.
    func readResponse(to method: String = "GET") throws -> Message {
        while true {
            guard let head = try readHead() else { throw WireError.closed(reset: false) }
            var message = Message(head: head)
            if (100..<200).contains(message.status) { continue }
            let hasNone = method == "HEAD" || message.status == 204 || message.status == 304
            message.raw = hasNone ? [] : try readBody(of: message, isResponse: true)
            return message
        }
    }

    /// Reads a head; nil when the connection ends before its first byte.
    func readHead() throws -> String? {
        if buffer.withLock({ $0.isEmpty }), try !fill() { return nil }
        return String(decoding: try readThrough(Array("\r\n\r\n".utf8)), as: UTF8.self)
    }

    func readBody(of message: Message, isResponse: Bool) throws -> [UInt8] {
        if message["transfer-encoding"] == ["chunked"] {
            var raw: [UInt8] = []
            while true {
                let line = try readThrough([13, 10])
                raw += line
                guard let size = Int(String(decoding: line.dropLast(2).prefix { $0 != 0x3b }, as: UTF8.self), radix: 16)
                else { throw WireError.malformed("chunk size") }
                if size == 0 { break }
                raw += try read(size + 2)
            }
            while true {
                let line = try readThrough([13, 10])
                raw += line
                if line.count == 2 { return raw }
            }
        }
        if let text = message["content-length"].first {
            guard let count = Int(text) else { throw WireError.malformed("length") }
            return try read(count)
        }
        return isResponse ? try readToEnd() : []
    }

    // MARK: Ends

    func close() {
        isOpen.withLock { isOpen in
            if isOpen { Glibc.close(descriptor) }
            isOpen = false
        }
    }

    /// Says that nothing more is sent, and goes on reading.
    func endSending() {
        isOpen.withLock { if $0 { shutdown(descriptor, Int32(SHUT_WR)) } }
    }

    /// Closes with a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Wakes whoever is blocked on the connection, from another thread.
    func shutDown() {
        isOpen.withLock { if $0 { shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }
}

/// One HTTP/1.1 message as it was on the wire.
struct Message: Sendable {
    let head: String
    /// The body with its chunked coding.
    var raw: [UInt8] = []

    init(head: String) { self.head = head }

    var startLine: String { String(head.prefix { $0 != "\r\n" }) }

    var status: Int { Int(startLine.split(separator: " ").dropFirst().first ?? "") ?? 0 }

    /// The values of a field.
    subscript(name: String) -> [String] {
        head.split(separator: "\r\n").dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { return nil }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
    }

    /// The body without its coding.
    var content: [UInt8] {
        guard self["transfer-encoding"] == ["chunked"] else { return raw }
        var content: [UInt8] = []
        var rest = raw[...]
        while let end = rest.firstIndex(of: 10) {
            let size = Int(String(decoding: rest[..<end].dropLast().prefix { $0 != 0x3b }, as: UTF8.self), radix: 16)
            guard let size, size > 0 else { break }
            content += rest[(end + 1)..<(end + 1 + size)]
            rest = rest[(end + 1 + size + 2)...]
        }
        return content
    }

    var text: String { String(decoding: content, as: UTF8.self) }
}

enum Loopback {
    static func address(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
