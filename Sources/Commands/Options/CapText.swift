import ArgumentParser
import Ledger

/// Caps as they are typed.
enum CapText {
    /// Reads `day=5`.
    @Sendable static func cap(_ text: String) throws -> Cap {
        guard let cap = Cap(text) else {
            throw ValidationError("`\(text)` is not WINDOW=DOLLARS, such as request=0.10, day=5 or lifetime=100.")
        }
        return cap
    }

    /// Reads `day`.
    @Sendable static func window(_ text: String) throws -> CapWindow {
        guard let window = CapWindow(rawValue: text) else {
            throw ValidationError("`\(text)` is not one of request, day, lifetime.")
        }
        return window
    }

    /// Throws where a window appears twice.
    static func check(_ caps: [Cap]) throws {
        guard Set(caps.map(\.window)).count == caps.count else {
            throw ValidationError("A window can have one cap only.")
        }
    }
}
