import Proxy
import Transport

extension ConfigurationParser {
    /// What agents may reach through the forward proxy; nothing where the file does not say.
    mutating func forward(_ root: ConfigurationSection) -> Configuration.Forward {
        var forward = Configuration.Forward()
        guard let value = reader.value(root, "forward"),
            let section = reader.section(value, keys: ["hosts", "addresses", "terminate"])
        else { return forward }
        if let hosts = reader.value(section, "hosts"), let entries = reader.entries(hosts) {
            for (name, entry) in entries {
                guard let scope = ForwardRules.Scope(name) else {
                    reader.note(entry.place, "`\(name)` is not `house`, `team:NAME` or `agent:NAME`")
                    continue
                }
                forward.hosts[scope] = patterns(entry)
            }
        }
        if let list = reader.value(section, "terminate") { forward.terminate = patterns(list) }
        for element in reader.elements(section, "addresses") {
            guard let text = reader.text(element) else { continue }
            guard let range = AddressRange(text) else {
                reader.note(
                    element.place, "`\(text)` is no address and no block such as `10.1.0.0/16` with zeros behind it")
                continue
            }
            forward.addresses.append(range)
        }
        return forward
    }

    private mutating func patterns(_ list: ConfigurationValue) -> [HostPattern] {
        var patterns: [HostPattern] = []
        for element in reader.elements(list) {
            guard let text = reader.text(element) else { continue }
            guard let pattern = HostPattern(text) else {
                reader.note(
                    element.place,
                    "`\(text)` is not a host such as `api.example`, `*.example`, `api.example:8443`, `*:*`")
                continue
            }
            patterns.append(pattern)
        }
        return patterns
    }
}
