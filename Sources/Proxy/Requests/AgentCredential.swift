import Payments
import Primitives
import SystemCrypto
import Transport

/// The agent's token in a request head: which field carries it, and what it is.
struct AgentCredential {
    /// The field that named the agent; it does not travel on.
    let field: FieldName
    /// The token.
    let token: [UInt8]
    /// SHA-256 of the token, by which the books know it.
    let hash: Bytes32

    enum Problem: Error, Equatable {
        /// No field carries an agent token.
        case missing
        /// More than one field carries an agent token.
        case ambiguous
        /// A token is there but mistyped.
        case malformed
    }

    /// Finds the one token of a request.
    ///
    /// `known` is the credential of an earlier request on the same connection: the same token need not be hashed again.
    static func find(in section: FieldSection, known: AgentCredential? = nil) throws(Problem) -> AgentCredential {
        var found: (field: FieldName, token: [UInt8])?
        for line in section.lines {
            switch line.name {
            case .authorization, .xAPIKey, .proxyAuthorization, .purserToken: break
            default: continue
            }
            let token = Array(bare(section.value(line), in: line.name))
            guard token.starts(with: AgentToken.prefix.utf8) else { continue }
            guard found == nil else { throw .ambiguous }
            found = (line.name, token)
        }
        guard let found else { throw .missing }
        if let known, known.field == found.field, known.token == found.token { return known }
        guard AgentToken.isWellFormed(found.token) else { throw .malformed }
        return AgentCredential(field: found.field, token: found.token, hash: SHA256.hash(found.token))
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
