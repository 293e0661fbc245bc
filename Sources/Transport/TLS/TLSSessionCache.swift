import COpenSSL
import NIOCore
import Synchronization

/// Where a session came from and where alone it may be used again: resuming skips the certificate, so the name that
/// was verified is part of the key.
struct TLSOrigin: Hashable, Sendable {
    let name: TLSServerName
    let port: Int
    /// Whose choice the server is: what one agent does with a host is not shown by another's connections to it.
    var choice = Destination.Choice.daemon
    /// Whether the server may choose HTTP/2: its sessions stay apart, as they hold what was chosen.
    var offersHTTP2 = false
}

/// A session that can be offered to the server it came from.
@safe final class TLSSession: Sendable {
    // Immutable: libssl only reads a session it did not create itself, and its reference count is atomic.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// A copy of `original`, so that neither another connection's end nor its thread can change this one.
    init?(copying original: OpaquePointer) {
        guard let copy = unsafe SSL_SESSION_dup(original) else { return nil }
        unsafe self.pointer = unsafe copy
    }

    deinit {
        unsafe SSL_SESSION_free(pointer)
    }

    /// Whether one use spends it: a TLS 1.3 ticket used twice would let an observer link the two connections
    /// (RFC 8446, appendix C.4).
    var isSingleUse: Bool {
        unsafe SSL_SESSION_get_protocol_version(pointer) >= TLS1_3_VERSION
    }
}

/// A bounded table of resumable sessions by origin, newest first.
///
/// A value with no lock and no clock; `Session` is a type parameter so that its rules can be tested without libssl.
struct TLSSessionTable<Session> {
    /// How many origins are remembered.
    let originLimit: Int
    /// How many sessions are kept for one origin: as many connections can resume at the same time.
    let sessionsPerOrigin: Int
    /// How long a session may be offered.
    ///
    /// Bounds how long a certificate is believed without being looked at.
    let lifetime: TimeAmount

    private struct Entry {
        var sessions: [(session: Session, isSingleUse: Bool, expiry: NIODeadline)] = []
        var lastUse: UInt64 = 0
    }

    private var entries: [TLSOrigin: Entry] = [:]
    private var useCount: UInt64 = 0

    init(originLimit: Int = 256, sessionsPerOrigin: Int = 4, lifetime: TimeAmount = .hours(1)) {
        self.originLimit = originLimit
        self.sessionsPerOrigin = sessionsPerOrigin
        self.lifetime = lifetime
    }

    /// Remembers a session; forgets the oldest of its origin, and to make room the least recently used origin of whoever chose
    /// most of them.
    mutating func store(_ session: Session, isSingleUse: Bool, for origin: TLSOrigin, now: NIODeadline) {
        if entries[origin] == nil, entries.count >= originLimit { makeRoom(for: origin.choice) }
        useCount += 1
        var entry = entries.removeValue(forKey: origin) ?? Entry()
        entry.lastUse = useCount
        entry.sessions.insert((session, isSingleUse, now + lifetime), at: 0)
        entry.sessions.removeLast(max(0, entry.sessions.count - sessionsPerOrigin))
        entries[origin] = entry
    }

    private mutating func makeRoom(for choice: Destination.Choice) {
        let counts = entries.keys.reduce(into: [choice: 1]) { $0[$1.choice, default: 0] += 1 }
        let most = counts.values.max() ?? 0
        let idlest = entries.filter { counts[$0.key.choice] == most }.min { $0.value.lastUse < $1.value.lastUse }
        if let key = idlest?.key { entries[key] = nil }
    }

    /// The newest session for `origin` that has not expired; removed if one use spends it.
    mutating func take(for origin: TLSOrigin, now: NIODeadline) -> Session? {
        guard var entry = entries.removeValue(forKey: origin) else { return nil }
        entry.sessions.removeAll { $0.expiry <= now }
        guard let newest = entry.sessions.first else { return nil }
        if newest.isSingleUse { entry.sessions.removeFirst() }
        if !entry.sessions.isEmpty {
            useCount += 1
            entry.lastUse = useCount
            entries[origin] = entry
        }
        return newest.session
    }

    /// Forgets every session of `origin`.
    mutating func removeAll(for origin: TLSOrigin) {
        entries[origin] = nil
    }
}

/// The session table of one client context, shared by all event loops.
final class TLSSessionCache: Sendable {
    private let table: Mutex<TLSSessionTable<TLSSession>>

    init(table: sending TLSSessionTable<TLSSession> = .init()) {
        self.table = Mutex(table)
    }

    func store(_ session: TLSSession, for origin: TLSOrigin) {
        table.withLock { $0.store(session, isSingleUse: session.isSingleUse, for: origin, now: .now()) }
    }

    func take(for origin: TLSOrigin) -> TLSSession? {
        table.withLock { $0.take(for: origin, now: .now()) }
    }

    func removeAll(for origin: TLSOrigin) {
        table.withLock { $0.removeAll(for: origin) }
    }
}
