package import Ethereum
import Policy
package import Primitives
import X402

/// One payment header as it came, without its signature: what the merchant could have settled.
package struct ReceivedAuthorization: Sendable, Equatable {
    /// The field that carried it, lower case.
    package let field: String
    /// Keccak-256 of the field's value, by which repetitions are known.
    package let digest: Bytes32
    /// Whether it came to the second origin.
    package let isElsewhere: Bool
    /// When it came, by the merchant's clock.
    package let receivedAt: Timestamp
    /// What was signed; nil when it could not be read.
    package let signed: Signed?

    /// What was signed.
    package struct Signed: Sendable, Equatable {
        /// Who pays.
        package let payer: Address
        /// Who is paid.
        package let payTo: Address
        /// Atomic units.
        package let amount: UInt256
        /// Unique for payer and contract.
        package let nonce: Bytes32
        /// The end of the window, Unix seconds.
        package let validBefore: UInt64
        /// The Permit2 spender; nil for EIP-3009.
        package let spender: Address?
        /// Whether the payer's key signed this for the case's token on the case's network.
        package let isGenuine: Bool
        /// The payment identifier that stands in the extensions.
        package let identifier: String?
    }
}

/// Reads payment headers as leniently as can be, since a payer is judged by what it signed and not by how it wrote it.
struct AuthorizationReader: Sendable {
    /// The longest decoded header that is read.
    static let maximumBytes = 48 * 1024

    let table: AssetTable
    let context: Secp256k1Context

    /// What is looked at: the echo may hold whatever the merchant wrote.
    private static let outline = JSONOutline.members([
        ("payload", .whole),
        ("extensions", .members([("payment-identifier", .members([("info", .members([("id", .scalar)]))]))])),
    ])

    /// Reads one header value, for a case whose terms say which token and network the signature must be for.
    func read(
        _ value: String, field: String, isElsewhere: Bool, terms: StatedTerms, at now: Timestamp
    ) -> ReceivedAuthorization {
        let bytes = Array(value.utf8)
        var signed: ReceivedAuthorization.Signed?
        if let text = HeaderText.decode(bytes, limit: Self.maximumBytes),
            let root = try? JSONReader.read(text, outline: Self.outline)
        {
            let identifier = root["extensions"]?["payment-identifier"]?["info"]?["id"]?.string
            signed = self.signed(root["payload"], identifier: identifier, terms: terms)
        }
        return ReceivedAuthorization(
            field: field, digest: Keccak256.hash(bytes), isElsewhere: isElsewhere, receivedAt: now, signed: signed)
    }

    private func signed(
        _ payload: JSONValue?, identifier: String?, terms: StatedTerms
    ) -> ReceivedAuthorization.Signed? {
        guard let payload, let bytes = payload["signature"]?.string.flatMap({ Hex.decode($0) }),
            let signature = Signature(bytes: bytes)
        else { return nil }
        let token = table.asset(network: terms.network, address: terms.asset)
        if let transfer = payload["authorization"].flatMap(Self.transfer) {
            let signer = token?.domainSeparator.flatMap {
                context.recover(digest: transfer.digest(domainSeparator: $0), signature: signature)
            }
            return ReceivedAuthorization.Signed(
                payer: transfer.from, payTo: transfer.to, amount: transfer.value, nonce: transfer.nonce,
                validBefore: transfer.validBefore, spender: nil, isGenuine: signer == transfer.from,
                identifier: identifier)
        }
        guard let source = payload["permit2Authorization"], let owner = source.address("from"),
            let transfer = Self.permit(source)
        else { return nil }
        let signer = token.flatMap {
            context.recover(digest: transfer.digest(chainID: $0.chainID), signature: signature)
        }
        return ReceivedAuthorization.Signed(
            payer: owner, payTo: transfer.witness.payee, amount: transfer.amount, nonce: transfer.nonce,
            validBefore: transfer.deadline, spender: transfer.spender,
            isGenuine: signer == owner && transfer.token == terms.asset, identifier: identifier)
    }

    private static func transfer(_ source: JSONValue) -> TransferWithAuthorization? {
        guard let from = source.address("from"), let to = source.address("to"),
            let value = source.number("value"), let validAfter = source.number("validAfter")?.uint64,
            let validBefore = source.number("validBefore")?.uint64,
            let nonce = source["nonce"]?.string.flatMap({ Hex.decode($0) }).flatMap({ Bytes32($0) })
        else { return nil }
        return TransferWithAuthorization(
            from: from, to: to, value: value, validAfter: validAfter, validBefore: validBefore, nonce: nonce)
    }

    private static func permit(_ source: JSONValue) -> PermitWitnessTransferFrom? {
        guard let token = source["permitted"]?.address("token"),
            let amount = source["permitted"]?.number("amount"), let spender = source.address("spender"),
            let nonce = source.number("nonce"), let deadline = source.number("deadline")?.uint64,
            let witness = source["witness"], let to = witness.address("to"),
            let validAfter = witness.number("validAfter")?.uint64
        else { return nil }
        let signed: PermitWitnessTransferFrom.Witness =
            if let facilitator = witness.address("facilitator") {
                .upto(to: to, facilitator: facilitator, validAfter: validAfter)
            } else {
                .exact(to: to, validAfter: validAfter)
            }
        return PermitWitnessTransferFrom(
            token: token, amount: amount, spender: spender, nonce: nonce.bigEndianBytes, deadline: deadline,
            witness: signed)
    }
}

extension PermitWitnessTransferFrom.Witness {
    fileprivate var payee: Address {
        switch self {
        case .exact(let to, _): to
        case .upto(let to, _, _): to
        }
    }
}

extension JSONValue {
    fileprivate func address(_ key: String) -> Address? {
        self[key]?.string.flatMap { Address(hex: $0) }
    }

    fileprivate func number(_ key: String) -> UInt256? {
        guard let value = self[key], let text = value.string ?? value.numberText else { return nil }
        return try? UInt256(decimal: text)
    }
}
