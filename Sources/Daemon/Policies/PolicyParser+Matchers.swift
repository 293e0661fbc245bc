import Ethereum
import NIOCore
import Policy
import Primitives
import X402

extension PolicyParser {
    private static let boundKeys = ["above", "up-to", "window-above", "new-payee", "price-above", "hours", "days"]

    /// What a rule's `when` asks for; nothing where it has none.
    mutating func matchers(_ rule: ConfigurationSection) -> [PolicyMatcher] {
        guard let value = reader.value(rule, "when"),
            let when = reader.section(value, keys: PolicyField.allCases.map(\.rawValue) + Self.boundKeys)
        else { return [] }
        var matchers: [PolicyMatcher] = []
        for field in PolicyField.allCases where when.has(field.rawValue) {
            let patterns = alternatives(when, field.rawValue).compactMap { pattern($0, of: field) }
            matchers.append(.oneOf(field, patterns))
        }
        func add(_ matcher: PolicyMatcher?) {
            if let matcher { matchers.append(matcher) }
        }
        add(dollars(when, "above").map { .above($0) })
        add(dollars(when, "up-to").map { .upTo($0) })
        add(seconds(when, "window-above").map { .windowAbove($0) })
        add(flag(when, "new-payee").map { .newPayee($0) })
        add(factor(when, "price-above").map { .priceAbove($0) })
        let hours = reader.converted(
            when, "hours", expected: "a span of UTC hours such as `08:00-18:00` or `22:00-06:00`", DayHours.init)
        add(hours.map { .hours($0) })
        if when.has("days") { add(.days(days(when))) }
        return matchers
    }

    private mutating func days(_ when: ConfigurationSection) -> [Weekday] {
        var days: [Weekday] = []
        for element in alternatives(when, "days") {
            guard let text = reader.text(element) else { continue }
            guard let day = Weekday(rawValue: text) else {
                reader.note(element.place, "`\(text)` is not mon, tue, wed, thu, fri, sat or sun")
                continue
            }
            days.append(day)
        }
        return days
    }

    /// A single value, or the elements of a list of at least one.
    private mutating func alternatives(_ when: ConfigurationSection, _ key: String) -> [ConfigurationValue] {
        guard reader.isList(when, key) else { return reader.value(when, key).map { [$0] } ?? [] }
        let elements = reader.elements(when, key)
        guard (1...Self.maximumAlternatives).contains(elements.count) else {
            reader.note(when.place(key), "a list of 1 to \(Self.maximumAlternatives) alternatives is needed here")
            return []
        }
        return elements
    }

    private mutating func pattern(_ element: ConfigurationValue, of field: PolicyField) -> TextPattern? {
        guard let text = reader.text(element) else { return nil }
        func take(_ pattern: TextPattern?, _ expected: String) -> TextPattern? {
            if pattern == nil { reader.note(element.place, "`\(text)` is not \(expected)") }
            return pattern
        }
        let globForm = "a pattern of at most \(Glob.maximumLength) bytes"
        switch field {
        case .agent, .team, .gateway, .scheme, .paymentMethod:
            return take(
                text.utf8.count <= 64 && !text.contains("*") ? .exact(text) : nil,
                "a name of at most 64 bytes; stars stand in `host`, `path` and `model` only")
        case .host: return take(Self.host(text), "a host such as `api.example.com` or `*.example.com`")
        case .method:
            let isMethod = text.utf8.allSatisfy { (0x41...0x5a).contains($0) } && text.utf8.count <= 32
            return take(isMethod ? .exact(text) : nil, "an HTTP method in upper case such as `POST`")
        case .path:
            return take(
                text.hasPrefix("/") || text.hasPrefix("*") ? Self.glob(text) : nil,
                "\(globForm) that begins with `/` or `*`")
        case .model: return take(Self.glob(text, separator: nil), globForm)
        case .network:
            return take(Asset.chainID(of: text).map { _ in .exact(text) }, "a network such as `eip155:42161`")
        case .asset:
            return take(
                Self.asset(text).map { .exact($0) },
                "a token: `USDT`, `eip155:42161/USDT`, or its address with or without the network, and a right checksum"
            )
        case .payee: return take(Self.address(text).map { .exact($0) }, Self.addressForm)
        }
    }

    private static func glob(_ text: String, separator: UInt8? = UInt8(ascii: "/")) -> TextPattern? {
        Glob(text, separator: separator).map { .glob($0) }
    }

    private static func host(_ text: String) -> TextPattern? {
        let lowered = text.lowercased()
        let name = lowered.hasPrefix("*.") ? String(lowered.dropFirst(2)) : lowered
        guard (1...253).contains(name.utf8.count), !name.hasPrefix("."),
            name.utf8.allSatisfy({ byte in
                byte.isASCIIDigit || (0x61...0x7a).contains(byte) || ".-_:[]".utf8.contains(byte)
            })
        else { return nil }
        return lowered.hasPrefix("*.") ? .below(name) : .exact(name)
    }

    /// What an address has to look like.
    static let addressForm = "0x and 40 hex digits with a right checksum (EIP-55)"

    /// An address, EIP-55; nil for what is none, or has a wrong checksum.
    static func address(_ text: String) -> String? {
        guard let address = Address(hex: text), Address.isChecksumValid(text) else { return nil }
        return address.checksummed
    }

    private static func asset(_ text: String) -> String? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = parts.last.map(String.init), parts.count <= 2, !last.isEmpty, last.utf8.count <= 64 else {
            return nil
        }
        let name = last.hasPrefix("0x") ? address(last) : last
        guard parts.count == 2 else { return name }
        guard Asset.chainID(of: String(parts[0])) != nil else { return nil }
        return name.map { "\(parts[0])/\($0)" }
    }

    /// An amount of dollars.
    mutating func dollars(_ section: ConfigurationSection, _ key: String) -> Dollars? {
        reader.converted(section, key, expected: "an amount of dollars such as `0.50`") { Dollars($0) }
    }

    /// A duration in whole seconds.
    mutating func seconds(_ section: ConfigurationSection, _ key: String) -> Int64? {
        reader.converted(section, key, expected: "a duration in whole seconds such as `90s`, `10m` or `1h`") { text in
            Quantities.duration(text).flatMap { duration in
                let seconds = duration.nanoseconds / 1_000_000_000
                return duration == .seconds(seconds) ? seconds : nil
            }
        }
    }

    /// A factor with at most two decimals, in hundredths.
    mutating func factor(_ section: ConfigurationSection, _ key: String) -> Int64? {
        reader.converted(section, key, expected: "a factor up to 1000000x such as `3x` or `1.5x`", Self.hundredths)
    }

    static func hundredths(_ text: String) -> Int64? {
        guard text.hasSuffix("x"), !text.hasPrefix("$"), let value = Dollars(text.dropLast()),
            value.nanodollars % 10_000_000 == 0, (1...100_000_000).contains(value.nanodollars / 10_000_000)
        else { return nil }
        return value.nanodollars / 10_000_000
    }
}
