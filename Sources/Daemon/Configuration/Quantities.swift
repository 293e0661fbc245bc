import NIOCore

/// Time spans and sizes as operators write them: a whole number and its unit, without a space.
enum Quantities {
    /// What a duration has to look like.
    static let durationForm = "a duration from 1ms to 24h such as `500ms`, `20s`, `10m` or `1h`"
    /// What a size has to look like.
    static let sizeForm = "a size such as `512KiB`, `1MiB` or `1GiB`"

    /// Reads `500ms`, `20s`, `10m` or `1h`; nil for anything else, for nothing at all, and for more than a day.
    static func duration(_ text: String) -> TimeAmount? {
        let units: [String: Int64] = ["ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000]
        guard let (number, unit) = split(text), let milliseconds = units[unit],
            number > 0, number <= 86_400_000 / milliseconds
        else { return nil }
        return .milliseconds(number * milliseconds)
    }

    /// Reads `512KiB`, `1MiB` or `1GiB` as bytes; nil for anything else, for nothing at all, and from 1 TiB on.
    static func size(_ text: String) -> Int? {
        let units: [String: Int64] = ["B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30]
        guard let (number, unit) = split(text), let bytes = units[unit], number > 0, number < (1 << 40) / bytes else {
            return nil
        }
        return Int(number * bytes)
    }

    private static func split(_ text: String) -> (number: Int64, unit: String)? {
        let digits = text.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard let number = Int64(Substring(digits)) else { return nil }
        return (number, String(text[digits.endIndex...]))
    }
}
