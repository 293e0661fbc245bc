import Payments
import Transport

/// The places of a request head that have the agent's token besides the field that named the agent: none of them travels
/// on.
struct TokenCopies: Sendable {
    /// What is left of a line.
    private enum Rest {
        case nothing
        case value([UInt8])
    }

    /// By the place of the line among the fields.
    private var lines: [Int: Rest] = [:]

    /// There are none.
    static let none = TokenCopies()

    var isEmpty: Bool { lines.isEmpty }

    /// What is left of the value of a line; nil for the whole line, empty for nothing.
    func rest(of index: Int) -> [UInt8]? {
        switch lines[index] {
        case .none: nil
        case .nothing: []
        case .value(let value): value
        }
    }

    private static let prefix = Array(AgentToken.prefix.utf8)

    /// Finds the copies of a token, or none of any where there is no token.
    ///
    /// `field` is the one that it was read in, `isEncoded` in base64. Throws for a token that is another one: whose the
    /// request is would not be plain, and one of the two would travel on.
    static func find(
        in section: FieldSection, of token: [UInt8]?, readIn field: FieldName?, isEncoded: Bool
    ) throws(AgentCredential.Problem) -> TokenCopies {
        let isPlain = token != nil && !isEncoded
        // Nearly every head has its token once; there is nothing more to look for then.
        let isSearched =
            field == .secWebSocketProtocol || section.count(of: prefix, limit: 2) != (isPlain ? 1 : 0)
            || section.lines.contains { $0.name != field && BasicCredentials.isThere(in: section, $0) }
        guard isSearched else { return none }
        var copies = TokenCopies()
        for (index, line) in section.lines.enumerated() {
            let found = tokens(in: section, line)
            guard !found.isEmpty else { continue }
            guard found.allSatisfy({ $0.elementsEqual(token ?? []) }) else {
                throw .ambiguous(field: section.shownName(of: line))
            }
            copies.lines[index] = rest(of: section.value(line), in: line.name)
        }
        return copies
    }

    private static func tokens(in section: FieldSection, _ line: FieldSection.Line) -> [ArraySlice<UInt8>] {
        let text = section.content(line)
        var found = AgentToken.ranges(in: text).map { text[$0] }
        if let pair = BasicCredentials(in: section, line) {
            for part in [Array(pair.name), Array(pair.password)] {
                found += AgentToken.ranges(in: part).map { part[$0] }
            }
        }
        return found
    }

    /// A list without the entries that have a token; of every other field nothing stays.
    private static func rest(of value: [UInt8], in field: FieldName) -> Rest {
        let separator: UInt8
        switch field {
        case .cookie: separator = UInt8(ascii: ";")
        case .secWebSocketProtocol: separator = UInt8(ascii: ",")
        default: return .nothing
        }
        let kept = value.split(separator: separator).filter { !AgentToken.isIn(Array($0)) }
        let rest = Array(kept.joined(separator: [separator])).drop { $0 == 0x20 || $0 == 0x09 }
        return rest.isEmpty ? .nothing : .value(Array(rest))
    }
}

/// A token in a request target, where it would be written to logs everywhere.
enum TokenInTarget {
    private static let prefix = Array(AgentToken.prefix.utf8)
    private static let percent = [UInt8(ascii: "%")]

    /// Whether a token of good form and checksum is in the target, percent-encoded or not.
    static func isThere(in head: RequestHead) -> Bool {
        guard head.targetContains(prefix) || head.targetContains(percent) else { return false }
        var bytes = Array(head.target.utf8)
        for _ in 0..<3 {
            if AgentToken.isIn(bytes) { return true }
            guard let decoded = PercentEncoding.decode(bytes) else { return false }
            bytes = decoded
        }
        return AgentToken.isIn(bytes)
    }
}

extension TrailerRule {
    /// For agents' requests: a token does not travel on in a trailer either.
    static let requests = TrailerRule(refuses: AgentToken.isIn)
}
