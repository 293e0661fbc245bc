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
    static func find(
        in section: FieldSection, known: AgentCredential? = nil, of place: Place = .gateway
    ) throws(Problem) -> AgentCredential {
        var found: (field: FieldName, token: [UInt8])?
        for line in section.lines {
            switch line.name {
            case .proxyAuthorization: break
            // In front of a forward proxy the others are the origin's.
            case .authorization, .xAPIKey, .purserToken: if place == .forward { continue }
            default: continue
            }
            guard let token = token(in: section.value(line), of: line.name) else { continue }
            guard found == nil else { throw .ambiguous }
            found = (line.name, token)
        }
        guard let found else { throw .missing }
        if let known, known.field == found.field, known.token == found.token { return known }
        guard AgentToken.isWellFormed(found.token) else { throw .malformed }
        return AgentCredential(field: found.field, token: found.token, hash: SHA256.hash(found.token))
    }

    /// For whom a request's credentials are.
    enum Place {
        case gateway
        case forward
    }

    /// The agent token of a value; nil when it holds none.
    ///
    /// With the `Basic` scheme, which is all that client libraries can send to a proxy, it is the password, or the user
    /// name where there is no password (RFC 7617).
    private static func token(in value: [UInt8], of field: FieldName) -> [UInt8]? {
        func isToken(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: AgentToken.prefix.utf8) }
        let token = bare(value, in: field)
        if isToken(token) { return Array(token) }
        guard field == .proxyAuthorization, token.count > basic.count, token.count <= 1024,
            zip(token, basic).allSatisfy({ $0 | 0x20 == $1 }),
            let pair = Base64.decodeLenient(token.dropFirst(basic.count).drop { $0 == 0x20 })
        else { return nil }
        let name = pair.prefix { $0 != UInt8(ascii: ":") }
        let password = pair.dropFirst(name.count + 1)
        if isToken(password) { return Array(password) }
        return isToken(name) && password.isEmpty ? Array(name) : nil
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
    private static let basic = [UInt8]("basic ".utf8)
}
