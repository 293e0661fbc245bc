import ArgumentParser
import Daemon
import Ledger

/// Limits as they are typed.
enum CapText {
    /// Reads `day=5` or `hour=100payments`.
    @Sendable static func limit(_ text: String) throws -> CapLimit {
        guard let limit = CapLimit(text) else { throw ValidationError("`\(text)` is not \(CapLimit.form).") }
        return limit
    }

    /// Reads `day=5`, and with a token also `day=2.5USDT`, which is rounded down.
    static func limit(_ text: String, of token: TokenNames.Token?) throws(OperatorMistake) -> CapLimit {
        if let limit = CapLimit(text) ?? token?.limit(text) { return limit }
        let more = token.map { ", and with --asset in the token, such as day=2.5\($0.symbol)" } ?? ""
        throw OperatorMistake("`\(text)` is not \(CapLimit.form)\(more)")
    }

    /// Reads `day` or `15m`.
    @Sendable static func window(_ text: String) throws -> CapWindow {
        guard let window = CapWindow(text) else { throw ValidationError("`\(text)` is not one of \(CapWindow.form).") }
        return window
    }

    /// Reads `scout`, `team:crew` or `house`.
    @Sendable static func holder(_ text: String) throws -> CapHolder {
        guard let holder = CapHolder(text) else {
            throw ValidationError("`\(text)` is not an agent's name, agent:NAME, team:NAME or house.")
        }
        return holder
    }

    /// Throws where a window appears twice in the same measure.
    static func check(_ limits: [CapLimit]) throws {
        let keys = Set(limits.map { Cap.Key(CapScope(.house), $0.window, $0.measure) })
        guard keys.count == limits.count else {
            throw ValidationError("A window can have one cap of each measure only.")
        }
    }
}
