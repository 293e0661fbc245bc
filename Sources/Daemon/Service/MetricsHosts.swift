import Transport

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The Host fields by which metrics may be asked for: a web page that rebinds a name of its own to this machine is turned
/// away, since its browser sends that name.
///
/// Accepted, on any port, are addresses (no name was looked up for them), `localhost`, the machine's own name, what
/// `metrics` listens at, and the names that `hosts` lists.
struct MetricsHosts: Sendable {
    private let names: Set<String>

    /// Accepts `listening`, the names in `configured`, each with or without a port, and what every listener accepts.
    init(listening: String, configured: [String], machine: String? = Self.machineName) {
        let all = ["localhost", listening] + configured + (machine.map { [$0] } ?? [])
        names = Set(all.compactMap { HostAndPort($0)?.host.text ?? HostName($0)?.text })
    }

    /// Whether a request with these Host fields is answered; HTTP/1.0 may have none.
    func accepts(_ fields: [String], isHTTP10: Bool) -> Bool {
        guard let field = fields.first else { return isHTTP10 }
        guard fields.count == 1, let host = HostAndPort(field)?.host else { return false }
        return host.isAddress || names.contains(host.text)
    }

    /// The name that the system was given; nil where it has none.
    private static var machineName: String? {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.isEmpty ? nil : name
    }
}
