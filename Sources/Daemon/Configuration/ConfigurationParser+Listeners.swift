import Proxy
import Transport

extension ConfigurationParser {
    private static let listenForm =
        "an IP address (or localhost) and a port up to 65535, such as `127.0.0.1:4020`, nor `unix:PATH`, `systemd` or "
        + "`systemd:NAME`"

    /// Where agents connect to: one entry, or a list of them.
    mutating func listeners(_ root: ConfigurationSection) -> [Configuration.Listener] {
        guard reader.isList(root, "listen") else {
            return reader.value(root, "listen").map { listener($0).map { [$0] } ?? [] }
                ?? Configuration.standardListeners
        }
        let elements = reader.elements(root, "listen")
        if elements.isEmpty { reader.note(root.place("listen"), "there has to be one entry at least") }
        var listeners: [Configuration.Listener] = []
        for element in elements {
            guard let listener = listener(element) else { continue }
            guard !listeners.contains(where: { $0.overlaps(listener) }) else {
                reader.note(element.place, "`\(listener)` stands in the list already")
                continue
            }
            listeners.append(listener)
        }
        return listeners
    }

    private mutating func listener(_ value: ConfigurationValue) -> Configuration.Listener? {
        guard reader.isMapping(value) else {
            guard let text = reader.text(value) else { return nil }
            guard let listener = Configuration.Listener(text) else {
                reader.note(value.place, "`\(text)` is not \(Self.listenForm)")
                return nil
            }
            return listener
        }
        if reader.has(value, "tls") { return secureListener(value) }
        guard let section = reader.section(value, keys: ["unix", "mode"]) else { return nil }
        let modes = Configuration.Listener.modes.keys.sorted().map { "`\($0)`" }.joined(separator: " or ")
        let mode = reader.converted(section, "mode", expected: modes) { Configuration.Listener.modes[$0] }
        return reader.requiredText(section, "unix").map {
            .socket(path: $0, mode: mode ?? Configuration.Listener.standardMode)
        }
    }

    /// How many connections agents may have.
    mutating func connections(_ root: ConfigurationSection) -> ConnectionLimits {
        var limits = ConnectionLimits.standard
        guard let value = reader.value(root, "connections"),
            let section = reader.section(value, keys: ["total", "per-agent"])
        else { return limits }
        let range = 16...1_000_000
        limits.total = wholeNumber(section, "total", in: range) ?? limits.total
        limits.perAgent =
            wholeNumber(section, "per-agent", in: 1...range.upperBound) ?? max(1, limits.total / 2)
        if limits.perAgent > limits.total {
            reader.note(section.place("per-agent"), "more than `total` (\(limits.total))")
        }
        return limits
    }

    private mutating func secureListener(_ value: ConfigurationValue) -> Configuration.Listener? {
        guard let section = reader.section(value, keys: ["tls", "certificate", "key", "client-ca"]) else { return nil }
        let listen = reader.converted(
            section, "tls", expected: "an IP address (or localhost) and a port, such as `0.0.0.0:4443`"
        ) { Configuration.Listen($0) }
        let certificate = reader.requiredText(section, "certificate")
        let key = reader.text(section, "key")
        let clients = reader.text(section, "client-ca")
        guard let listen, let certificate else { return nil }
        return .secure(
            listen, Configuration.Listener.TLSFiles(certificate: certificate, key: key ?? certificate, clients: clients)
        )
    }

    /// Which agents they are that connect without a token to a Unix socket, or with a certificate.
    mutating func peers(_ root: ConfigurationSection) -> PeerAgents {
        var agents: [PeerAgents.Peer: String] = [:]
        guard let value = reader.value(root, "peers"), let entries = reader.entries(value) else { return .none }
        for (key, entry) in entries {
            guard let peer = PeerAgents.Peer(key) else {
                reader.note(
                    entry.place,
                    "`\(key)` is not `uid:NUMBER`, `gid:NUMBER`, `cert:sha256:DIGITS`, `cert:dns:NAME`, `cert:uri:URI` or "
                        + "`cert:email:ADDRESS`; \(PeerIdentity.unknown) is whoever has no number here")
                continue
            }
            guard agents[peer] == nil else {
                reader.note(entry.place, "`\(peer)` stands here already")
                continue
            }
            guard let name = reader.text(entry) else { continue }
            guard NameRule.isName(name) else {
                reader.note(entry.place, "`\(name)` can be no agent's name")
                continue
            }
            agents[peer] = name
        }
        return PeerAgents(agents)
    }
}

extension Configuration.Listener {
    /// Whether both cannot be listened at.
    fileprivate func overlaps(_ other: Configuration.Listener) -> Bool {
        switch (self, other) {
        case (.address(let mine), .address(let theirs)), (.secure(let mine, _), .secure(let theirs, _)),
            (.address(let mine), .secure(let theirs, _)), (.secure(let mine, _), .address(let theirs)):
            mine == theirs && mine.port != 0
        case (.socket(let mine, _), .socket(let theirs, _)): mine == theirs
        case (.systemd(let mine), .systemd(let theirs)): mine == nil || theirs == nil || mine == theirs
        default: false
        }
    }
}
