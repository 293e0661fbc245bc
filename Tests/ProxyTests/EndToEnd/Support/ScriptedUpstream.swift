import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A server on loopback whose every connection runs a script on a thread of its own.
final class ScriptedUpstream: Sendable {
    /// What to do on a connection; the number counts connections from 0.
    ///
    /// When it returns, the connection is closed.
    typealias Script = @Sendable (Wire, Int) throws -> Void

    let port: Int
    private let listener: Int32
    private let accepted = Mutex<[Wire]>([])

    init(_ script: @escaping Script) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = Loopback.address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                guard unsafe bind(listener, $0, length) == 0, listen(listener, 512) == 0 else { return Int32(-1) }
                return unsafe getsockname(listener, $0, &length)
            }
        }
        guard code == 0 else { throw WireError.system(errno) }
        port = Int(in_port_t(bigEndian: address.sin_port))
        Threads.spawn { [weak self] in
            while true {
                let descriptor = accept(listener, nil, nil)
                guard descriptor >= 0 else { return }
                let wire = Wire(descriptor: descriptor)
                guard let self else { return }
                let number = self.accepted.withLock { wires in
                    wires.append(wire)
                    return wires.count - 1
                }
                Threads.spawn {
                    try? script(wire, number)
                    wire.close()
                }
            }
        }
    }

    deinit { stop() }

    /// Closes the listener and every connection.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        for wire in accepted.withLock({ $0 }) { wire.shutDown() }
    }

    /// The connections so far.
    var connections: [Wire] { accepted.withLock { $0 } }

    /// What each connection received, whole.
    var received: [[UInt8]] { connections.map(\.received) }

    /// The same as text.
    var texts: [String] { received.map { String(decoding: $0, as: UTF8.self) } }
}

extension ScriptedUpstream {
    /// Answers every request of every connection by a function of the request.
    static func serving(_ answer: @escaping @Sendable (Message) throws -> String) throws -> ScriptedUpstream {
        try ScriptedUpstream { wire, _ in
            while let request = try wire.readRequest() { try wire.send(answer(request)) }
        }
    }
}

/// Writes responses.
enum Respond {
    /// A response with Content-Length.
    static func with(_ status: Int, _ fields: [String] = [], body: String = "") -> String {
        let lines = fields.map { $0 + "\r\n" }.joined()
        return "HTTP/1.1 \(status) Whatever\r\n\(lines)content-length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}
