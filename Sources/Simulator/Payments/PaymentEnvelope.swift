import Ethereum
import Primitives

/// A decoded payment header whose form is right; nothing in it has been checked against anything else.
struct PaymentEnvelope: Sendable, Equatable {
    /// The version it declares.
    let version: Quote.Version
    /// The entry it answers (version 2).
    let accepted: JSONValue?
    /// Scheme and network (version 1).
    let scheme: String?
    /// The network (version 1).
    let network: String?
    /// The extensions it echoes (version 2).
    let extensions: [JSONMember]
    /// What was signed.
    let transfer: SignedTransfer
    /// The signature, low s, v 27 or 28.
    let signature: Signature

    /// The longest decoded payment that is read.
    static let maximumBytes = 32 * 1024

    /// Reads a header value as strictly as the strictest facilitators: standard base64 with padding, no nulls, numbers
    /// of the authorization as decimal strings, no members of the payload that nobody knows.
    static func read(_ value: some Collection<UInt8>) throws(PaymentRefusal) -> PaymentEnvelope {
        let value = Array(value)
        guard value.count.isMultiple(of: 4), value.count / 4 * 3 <= maximumBytes, value.allSatisfy(\.isStandardBase64),
            let text = Base64.decodeLenient(value), let root = try? JSONReader.read(text), root.members != nil,
            !root.holdsNull, let number = root["x402Version"]?.integer
        else { throw .malformed }
        guard let version = Quote.Version(rawValue: Int(number)) else { throw .version }
        let known: Set<String> =
            version == .one
            ? ["x402Version", "scheme", "network", "payload"]
            : ["x402Version", "payload", "accepted", "resource", "extensions"]
        guard known.isSuperset(of: root.keys), root["resource"].isObjectOrAbsent, root["extensions"].isObjectOrAbsent,
            version == .one ? root["scheme"]?.string != nil : root["accepted"]?.members != nil,
            version == .two || root["network"]?.string != nil, let payload = root["payload"]
        else { throw .malformed }
        return PaymentEnvelope(
            version: version, accepted: root["accepted"], scheme: root["scheme"]?.string,
            network: root["network"]?.string, extensions: root["extensions"]?.members ?? [],
            transfer: try transfer(payload), signature: try signature(payload))
    }

    private static func transfer(_ payload: JSONValue) throws(PaymentRefusal) -> SignedTransfer {
        switch Set(payload.keys) {
        case ["authorization", "signature"]: .eip3009(try authorization(payload["authorization"]))
        case ["permit2Authorization", "signature"]: try permit(payload["permit2Authorization"])
        default: throw .malformed
        }
    }

    private static func authorization(_ source: JSONValue?) throws(PaymentRefusal) -> TransferWithAuthorization {
        guard let source, Set(source.keys) == ["from", "to", "value", "validAfter", "validBefore", "nonce"],
            let from = source.address("from"), let to = source.address("to"),
            let amount = source.number("value"),
            let validAfter = source.seconds("validAfter"), let validBefore = source.seconds("validBefore"),
            let nonce = source.hex("nonce", count: 32).flatMap({ Bytes32($0) })
        else { throw .malformed }
        return TransferWithAuthorization(
            from: from, to: to, value: amount, validAfter: validAfter, validBefore: validBefore, nonce: nonce)
    }

    /// What is signed depends on the witness, and each scheme has its own.
    private static func permit(_ source: JSONValue?) throws(PaymentRefusal) -> SignedTransfer {
        guard let source,
            Set(source.keys) == ["from", "permitted", "spender", "nonce", "deadline", "witness"],
            let permitted = source["permitted"], Set(permitted.keys) == ["token", "amount"],
            let owner = source.address("from"), let token = permitted.address("token"),
            let amount = permitted.number("amount"), let spender = source.address("spender"),
            let nonce = source.number("nonce"), let deadline = source.seconds("deadline"),
            let witness = source["witness"]
        else { throw .malformed }
        let transfer = PermitWitnessTransferFrom(
            token: token, amount: amount, spender: spender, nonce: nonce.bigEndianBytes, deadline: deadline,
            witness: try Self.witness(witness))
        return .permit2(owner: owner, transfer)
    }

    private static func witness(
        _ source: JSONValue
    ) throws(PaymentRefusal) -> PermitWitnessTransferFrom.Witness {
        guard let to = source.address("to"), let validAfter = source.seconds("validAfter") else { throw .malformed }
        switch Set(source.keys) {
        case ["to", "validAfter"]: return .exact(to: to, validAfter: validAfter)
        case ["to", "facilitator", "validAfter"]:
            guard let facilitator = source.address("facilitator") else { throw .malformed }
            return .upto(to: to, facilitator: facilitator, validAfter: validAfter)
        default: throw .malformed
        }
    }

    /// A token contract takes v 27 or 28 and the lower s only (EIP-2), so nothing else passes here; Permit2 would take
    /// the upper s too, which no wallet makes.
    private static func signature(_ payload: JSONValue) throws(PaymentRefusal) -> Signature {
        guard let bytes = payload.hex("signature", count: 65) else { throw .malformed }
        guard let v = bytes.last, v >= 27, let signature = Signature(bytes: bytes, requiringLowS: true) else {
            throw .signature
        }
        return signature
    }
}

extension Optional where Wrapped == JSONValue {
    fileprivate var isObjectOrAbsent: Bool { self?.members != nil || self == nil }
}

extension JSONValue {
    fileprivate var keys: [String] { (members ?? []).map(\.key) }

    fileprivate func address(_ key: String) -> Address? {
        guard let text = self[key]?.string, Address.isChecksumValid(text) else { return nil }
        return Address(hex: text)
    }

    fileprivate func number(_ key: String) -> UInt256? {
        self[key]?.string.flatMap { try? UInt256(decimal: $0) }
    }

    fileprivate func seconds(_ key: String) -> UInt64? { number(key)?.uint64 }

    fileprivate func hex(_ key: String, count: Int) -> [UInt8]? {
        guard let text = self[key]?.string, text.hasPrefix("0x"), text.utf8.count == 2 + 2 * count else { return nil }
        return Hex.decode(text)
    }
}

extension UInt8 {
    fileprivate var isStandardBase64: Bool {
        switch self {
        case 0x41...0x5a, 0x61...0x7a, 0x30...0x39, 0x2b, 0x2f, 0x3d: true
        default: false
        }
    }
}
