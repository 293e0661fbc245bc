/// Switching protocols on a connection; RFC 9110 section 7.8.
extension RequestHead {
    /// The protocols, in lower case, that the sender would switch to and a proxy may pass on; empty for none.
    ///
    /// Other versions of HTTP and TLS are not passed on: what an agent asked in them could not be told from bytes, and a
    /// gateway's rules would be gone around (h2c smuggling).
    package var upgradeProtocols: [String] {
        guard !isHTTP10, framing == .none || framing == .length(0), method != "HEAD",
            fields.first(.upgrade) != nil, fields.contains(.connection, token: "upgrade")
        else { return [] }
        return fields.upgradeTokens.filter { name in
            name != "h2c" && name != "h2" && name != "http" && name != "tls" && !name.hasPrefix("http/")
                && !name.hasPrefix("tls/")
        }
    }
}

extension ResponseHead {
    /// Whether a 101 switches to one of the protocols that were asked for.
    package func switches(to protocols: [String]) -> Bool {
        guard status == 101, !isHTTP10 else { return false }
        let chosen = fields.upgradeTokens
        return !chosen.isEmpty && chosen.allSatisfy(protocols.contains)
    }
}

extension FieldSection {
    fileprivate var upgradeTokens: [String] {
        lines.filter { $0.name == .upgrade }.flatMap { line in
            text(line).split(separator: ",").map { $0.trimmingBlanks.lowercased() }.filter { !$0.isEmpty }
        }
    }
}
