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
    /// The other places of the head that have it.
    var copies = TokenCopies.none

    enum Problem: Error, Equatable {
        /// No field carries an agent token.
        case missing
        /// Another token is in this field.
        case ambiguous(field: String)
        /// A token is there but mistyped.
        case malformed
    }

    /// Finds the one token of a request.
    ///
    /// `known` is the credential of an earlier request on the same connection: the same token need not be hashed again.
    static func find(
        in section: FieldSection, known: AgentCredential? = nil, of place: Place = .gateway
    ) throws(Problem) -> AgentCredential {
        var found: (field: FieldName, token: [UInt8], isEncoded: Bool)?
        for line in section.lines where place.reads(line.name) {
            guard let read = token(in: section, line) else { continue }
            // Several client libraries send one token in two fields.
            guard read.isOnlyOne, found.map({ $0.token == read.token }) ?? true else {
                throw .ambiguous(field: section.shownName(of: line))
            }
            if found == nil { found = (line.name, read.token, read.isEncoded) }
        }
        guard let found else { throw .missing }
        var credential: AgentCredential
        if let known, known.field == found.field, known.token == found.token {
            credential = known
        } else {
            guard AgentToken.isWellFormed(found.token) else { throw .malformed }
            credential = AgentCredential(field: found.field, token: found.token, hash: SHA256.hash(found.token))
        }
        credential.copies = try TokenCopies.find(
            in: section, of: found.token, readIn: found.field, isEncoded: found.isEncoded)
        return credential
    }

    /// The credential of a request inside a tunnel, whose agent is known by the token that the tunnel was opened with.
    func copied(in section: FieldSection) throws(Problem) -> AgentCredential {
        var credential = self
        credential.copies = try TokenCopies.find(in: section, of: token, readIn: nil, isEncoded: true)
        return credential
    }

    /// For whom a request's credentials are.
    enum Place {
        case gateway
        case forward

        /// Whether a field may name the agent; in front of a forward proxy most are the origin's.
        func reads(_ field: FieldName) -> Bool {
            switch field {
            case .proxyAuthorization: true
            case .authorization, .xAPIKey, .apiKey, .xGoogAPIKey, .purserToken, .secWebSocketProtocol: self == .gateway
            default: false
            }
        }
    }

    /// The agent token of a line, of good form or not; whether it is there in base64, and no other one beside it.
    ///
    /// nil for none.
    private static func token(
        in section: FieldSection, _ line: FieldSection.Line
    ) -> (token: [UInt8], isEncoded: Bool, isOnlyOne: Bool)? {
        func first(of tokens: [ArraySlice<UInt8>], isEncoded: Bool) -> (
            token: [UInt8], isEncoded: Bool, isOnlyOne: Bool
        )? {
            let tokens = tokens.filter(isToken)
            return tokens.first.map { first in (Array(first), isEncoded, tokens.allSatisfy { $0 == first }) }
        }
        let value = section.value(line)
        guard line.name != .secWebSocketProtocol else {
            return first(of: WebSocketKey.keys(in: value), isEncoded: false)
        }
        let token = bare(value, in: line.name)
        if isToken(token) { return (Array(token), false, true) }
        guard let pair = BasicCredentials(in: section, line) else { return nil }
        return first(of: [pair.password, pair.name], isEncoded: true)
    }

    private static func isToken(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.starts(with: AgentToken.prefix.utf8) }

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

/// A user name and a password in base64 (RFC 7617), which is all that client libraries can send to a proxy.
struct BasicCredentials {
    let name: ArraySlice<UInt8>
    let password: ArraySlice<UInt8>

    private static let scheme = [UInt8]("basic ".utf8)

    /// Reads a line of Authorization or Proxy-Authorization; nil for every other one.
    init?(in section: FieldSection, _ line: FieldSection.Line) {
        guard Self.isThere(in: section, line) else { return nil }
        let value = section.value(line)
        guard value.count <= 1024,
            let pair = Base64.decodeLenient(value.dropFirst(Self.scheme.count).drop { $0 == 0x20 })
        else { return nil }
        name = pair.prefix { $0 != UInt8(ascii: ":") }
        password = pair.dropFirst(name.count + 1)
    }

    /// Whether a line may be read.
    static func isThere(in section: FieldSection, _ line: FieldSection.Line) -> Bool {
        (line.name == .authorization || line.name == .proxyAuthorization) && section.hasPrefix(line, scheme)
    }
}

/// The key that a browser sends as if it were a WebSocket subprotocol, since it can set no other field: an entry
/// `openai-insecure-api-key.<key>`.
enum WebSocketKey {
    private static let prefix = [UInt8]("openai-insecure-api-key.".utf8)

    /// The keys among the entries of a value.
    static func keys(in value: [UInt8]) -> [ArraySlice<UInt8>] {
        value.split(separator: UInt8(ascii: ",")).compactMap { entry in
            let entry = entry.drop { $0 == 0x20 || $0 == 0x09 }
            guard entry.starts(with: prefix) else { return nil }
            return entry.dropFirst(prefix.count).prefix { $0 != 0x20 && $0 != 0x09 }
        }
    }
}

extension FieldSection {
    /// The name of a line where a message says it: as sent, and never long enough to have a token.
    func shownName(of line: Line) -> String { String(name(of: line).prefix(40)) }
}
