package import Primitives
import Synchronization
package import Transport

/// The hosts whose TLS is ended here, so that their requests can be read and paid for.
///
/// Each has a certificate of the local authority, made when it is first asked for and again before it is over.
package final class TLSTermination: Sendable {
    private struct Entry {
        let context: TLSServerContext
        /// When a new one is made, seconds since the epoch.
        let staleAt: Int64
        var lastUsed: UInt64
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var uses: UInt64 = 0
    }

    /// Certificates that are kept at most; the one that was not used for the longest goes.
    static let limit = 1024

    private let authority: CertificateAuthority
    private let key: CertificateAuthority.HostKey
    private let hosts: [HostPattern]
    private let clock: any WallClock
    private let random: any RandomSource
    private let state = Mutex(State())

    /// Ends TLS for hosts that a pattern names, on any port that the pattern allows.
    ///
    /// Throws ``TLSError`` when no key can be made.
    package init(
        authority: CertificateAuthority, hosts: [HostPattern], clock: any WallClock, random: any RandomSource
    ) throws(TLSError) {
        self.authority = authority
        key = try CertificateAuthority.HostKey()
        self.hosts = hosts
        self.clock = clock
        self.random = random
    }

    /// Whether a host's TLS is ended here.
    func covers(_ host: HostName, port: Int) -> Bool { hosts.contains { $0.matches(host, port: port) } }

    /// A server's side of TLS for a host; throws ``TLSError`` when the authority cannot vouch for it.
    package func context(for host: HostName) throws -> TLSServerContext {
        let now = clock.now().seconds
        let known = state.withLock { state -> TLSServerContext? in
            guard let entry = state.entries[host.text], now < entry.staleAt else { return nil }
            state.uses += 1
            state.entries[host.text]?.lastUsed = state.uses
            return entry.context
        }
        if let known { return known }
        // Outside of the lock: of two at once one is thrown away.
        let serial = Array(try random.bytes32().bytes.prefix(16))
        let context = try authority.serverContext(for: host, key: key, serial: serial, at: now)
        state.withLock { state in
            state.uses += 1
            if state.entries.count >= Self.limit, state.entries[host.text] == nil,
                let oldest = state.entries.min(by: { $0.value.lastUsed < $1.value.lastUsed })?.key
            {
                state.entries[oldest] = nil
            }
            state.entries[host.text] = Entry(
                context: context, staleAt: now + CertificateAuthority.hostValidity / 2, lastUsed: state.uses)
        }
        return context
    }
}
