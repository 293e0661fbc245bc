import Payments
import Transport

/// The agent's token in a request head: which field carries it, and what it is.
struct AgentCredential {
    /// The field that named the agent; it does not travel on.
    let field: FieldName
    /// The token.
    let token: [UInt8]

    enum Problem: Error, Equatable {
        /// No field carries an agent token.
        case missing
        /// More than one field carries an agent token.
        case ambiguous
        /// A token is there but mistyped.
        case malformed
    }

    /// Fields in which agents may name themselves.
    private static let fields: Set<FieldName> = [.authorization, .xAPIKey, .proxyAuthorization, .purserToken]

    /// Finds the one token of a request.
    static func find(in section: FieldSection) throws(Problem) -> AgentCredential {
        var found: AgentCredential?
        for line in section.lines where fields.contains(line.name) {
            let value = section.value(line)
            let token = bare(value, in: line.name)
            guard token.starts(with: AgentToken.prefix.utf8) else { continue }
            guard found == nil else { throw .ambiguous }
            found = AgentCredential(field: line.name, token: Array(token))
        }
        guard let found else { throw .missing }
        guard AgentToken.isWellFormed(found.token) else { throw .malformed }
        return found
    }

    /// A value without its `Bearer` scheme.
    private static func bare(_ value: [UInt8], in field: FieldName) -> ArraySlice<UInt8> {
        guard field == .authorization || field == .proxyAuthorization, value.count > bearer.count else {
            return value[...]
        }
        for (index, byte) in bearer.enumerated() where value[index] | 0x20 != byte { return value[...] }
        return value[bearer.count...].drop { $0 == 0x20 }
    }

    private static let bearer = [UInt8]("bearer ".utf8)
}
