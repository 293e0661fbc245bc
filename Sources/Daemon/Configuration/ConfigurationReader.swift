import Yams

/// A mapping of the file with keys that were all checked to be known.
struct ConfigurationSection {
    /// The keys above it, `gateways.lab`; empty at the top.
    let path: String
    /// The line it begins in.
    let line: Int
    fileprivate let values: [String: ConfigurationValue]

    /// Whether the file has the key.
    func has(_ key: String) -> Bool { values[key] != nil }

    /// The place of a key: its value's where it has one, the section's otherwise.
    func place(_ key: String) -> ConfigurationPlace {
        ConfigurationPlace(path: path.isEmpty ? key : "\(path).\(key)", line: values[key]?.place.line ?? line)
    }
}

/// Where something stands in the file.
struct ConfigurationPlace {
    /// The key from the top.
    let path: String
    /// The line, from 1.
    let line: Int
}

/// A value of the file and where it stands.
struct ConfigurationValue {
    let place: ConfigurationPlace
    fileprivate let node: Node
}

/// Walks the tree of a YAML file and notes what is wrong instead of stopping at it.
///
/// Scalars are taken by their text and never by the type that YAML guesses, so that `usd: 1.00` and `usd: "1.00"` are
/// the same exact number.
struct ConfigurationReader {
    private(set) var mistakes: [ConfigurationErrors.Mistake] = []
    private var document: DuplicateKeys?

    /// Notes a mistake.
    mutating func note(_ place: ConfigurationPlace, _ message: String) {
        mistakes.append(ConfigurationErrors.Mistake(line: place.line, key: place.path, message: message))
    }

    // MARK: The whole file

    /// The file's top mapping, or nil when the text is no YAML mapping; an empty file is an empty mapping.
    mutating func root(of text: String, keys: [String]) -> ConfigurationSection? {
        do {
            document = try DuplicateKeys(composing: text)
        } catch {
            note(error)
            return nil
        }
        let top = ConfigurationPlace(path: "", line: 1)
        guard let node = document?.root, !Self.isNull(node) else {
            return ConfigurationSection(path: "", line: 1, values: [:])
        }
        return section(ConfigurationValue(place: top, node: node), keys: keys)
    }

    private mutating func note(_ error: any Error) {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            note(ConfigurationPlace(path: "", line: mark.line), "this is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "`\($0)`" }.joined(separator: ", ")
            note(ConfigurationPlace(path: "", line: context.mark.line), "\(keys) appears more than once")
        case .reader(let problem, _, _, _):
            note(ConfigurationPlace(path: "", line: 1), "this is not YAML: \(problem)")
        default:
            note(ConfigurationPlace(path: "", line: 1), "this is not YAML")
        }
    }

    // MARK: Mappings

    /// The entries of a mapping by their keys, whatever these are.
    mutating func entries(_ value: ConfigurationValue) -> [(key: String, value: ConfigurationValue)]? {
        guard case .mapping(let mapping) = value.node else {
            note(value.place, "a mapping of keys to values is needed here, not \(Self.kind(value.node))")
            return nil
        }
        var seen: Set<String> = []
        var entries: [(key: String, value: ConfigurationValue)] = []
        for (key, node) in mapping {
            let line = key.mark?.line ?? value.place.line
            guard case .scalar(let scalar) = key else {
                note(ConfigurationPlace(path: value.place.path, line: line), "a key has to be plain text")
                continue
            }
            let name = document?.plain(scalar.string) ?? scalar.string
            let path = value.place.path.isEmpty ? name : "\(value.place.path).\(name)"
            let place = ConfigurationPlace(path: path, line: line)
            guard seen.insert(name).inserted else {
                note(place, "this key appears more than once")
                continue
            }
            entries.append((name, ConfigurationValue(place: place, node: node)))
        }
        return entries
    }

    /// A mapping whose keys are all among `keys`.
    mutating func section(_ value: ConfigurationValue, keys: [String]) -> ConfigurationSection? {
        guard let entries = entries(value) else { return nil }
        var values: [String: ConfigurationValue] = [:]
        for (key, entry) in entries {
            guard keys.contains(key) else {
                let known = keys.map { "`\($0)`" }.joined(separator: ", ")
                note(entry.place, "there is no such key here; known are \(known)")
                continue
            }
            values[key] = entry
        }
        return ConfigurationSection(path: value.place.path, line: value.place.line, values: values)
    }

    /// The value of a key, or nil when the file does not have it; a key without a value counts as a mistake.
    mutating func value(_ section: ConfigurationSection, _ key: String) -> ConfigurationValue? {
        guard let value = section.values[key] else { return nil }
        guard !Self.isNull(value.node) else {
            note(value.place, "the value is missing")
            return nil
        }
        return value
    }

    // MARK: Scalars and lists

    /// The text of a scalar that is not empty.
    mutating func text(_ value: ConfigurationValue) -> String? {
        guard case .scalar(let scalar) = value.node else {
            note(value.place, "a single value is needed here, not \(Self.kind(value.node))")
            return nil
        }
        guard !scalar.string.isEmpty else {
            note(value.place, "the value is empty")
            return nil
        }
        guard !scalar.string.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
            note(value.place, "the value has control characters")
            return nil
        }
        return scalar.string
    }

    /// The text of a key, or nil when the file does not have it.
    mutating func text(_ section: ConfigurationSection, _ key: String) -> String? {
        value(section, key).flatMap { text($0) }
    }

    /// The text of a key that has to be there.
    mutating func requiredText(_ section: ConfigurationSection, _ key: String) -> String? {
        guard section.has(key) else {
            note(section.place(key), "this key is required")
            return nil
        }
        return text(section, key)
    }

    /// A key's text through a conversion; `expected` says what the text has to look like.
    mutating func converted<Value>(
        _ section: ConfigurationSection, _ key: String, expected: String, _ convert: (String) -> Value?
    ) -> Value? {
        guard let text = text(section, key) else { return nil }
        guard let value = convert(text) else {
            note(section.place(key), "`\(text)` is not \(expected)")
            return nil
        }
        return value
    }

    /// The elements of a key's list; nothing when the file does not have it.
    mutating func elements(_ section: ConfigurationSection, _ key: String) -> [ConfigurationValue] {
        value(section, key).map { elements($0) } ?? []
    }

    /// The elements of a list.
    mutating func elements(_ value: ConfigurationValue) -> [ConfigurationValue] {
        guard case .sequence(let nodes) = value.node else {
            note(value.place, "a list is needed here, not \(Self.kind(value.node))")
            return []
        }
        return nodes.enumerated().map { index, node in
            let place = ConfigurationPlace(
                path: "\(value.place.path)[\(index)]", line: node.mark?.line ?? value.place.line)
            return ConfigurationValue(place: place, node: node)
        }
    }

    /// Whether a key has a list, however long.
    func isList(_ section: ConfigurationSection, _ key: String) -> Bool {
        if case .sequence = section.values[key]?.node { true } else { false }
    }

    /// Whether a value is a mapping.
    func isMapping(_ value: ConfigurationValue) -> Bool {
        if case .mapping = value.node { true } else { false }
    }

    /// Whether a value is a mapping with a key.
    func has(_ value: ConfigurationValue, _ key: String) -> Bool {
        guard case .mapping(let mapping) = value.node else { return false }
        return mapping.contains { entry in
            guard case .scalar(let scalar) = entry.key else { return false }
            return scalar.string == key
        }
    }

    private static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private static func kind(_ node: Node) -> String {
        switch node {
        case .scalar: "a single value"
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
