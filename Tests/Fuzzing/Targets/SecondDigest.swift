import Ethereum
import Primitives
import X402

/// The digest of a payment made anew from nothing but the payload that is sent, as the seller's side makes it.
enum SecondDigest {
    static func of(
        _ payload: JSONValue, order: PaymentOrder, scheme: String
    ) throws(BrokenInvariant) -> Bytes32 {
        if let authorization = payload["authorization"] {
            return try exact(authorization, order: order)
        }
        let authorization = try need(payload["permit2Authorization"], "a payload has an authorization")
        return try permit2(authorization, order: order, isMaximum: scheme == "upto")
    }

    private static func exact(_ values: JSONValue, order: PaymentOrder) throws(BrokenInvariant) -> Bytes32 {
        let separator = try need(order.token.domainSeparator, "the token has a domain")
        let type =
            "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
            + "uint256 validBefore,bytes32 nonce)"
        let value = try number(values["value"])
        try hold(value == order.amount.bigEndianBytes, "the amount sent is the amount vetted")
        let to = try address(values["to"])
        try hold(to == order.payTo.word, "the payee sent is the payee vetted")
        let nonce = try need(values["nonce"]?.string.flatMap { Hex.decode($0) }.flatMap { Bytes32($0) }, "a nonce")
        let hash = Keccak256.hash(
            words: Keccak256.hash(type), try address(values["from"]), to, value, try number(values["validAfter"]),
            try number(values["validBefore"]), nonce)
        return digest(separator, hash)
    }

    private static func permit2(
        _ values: JSONValue, order: PaymentOrder, isMaximum: Bool
    ) throws(BrokenInvariant) -> Bytes32 {
        let permissions = "TokenPermissions(address token,uint256 amount)"
        let witnessType =
            isMaximum
            ? "Witness(address to,address facilitator,uint256 validAfter)" : "Witness(address to,uint256 validAfter)"
        let type =
            "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,"
            + "Witness witness)" + permissions + witnessType
        let amount = try number(values["permitted"]?["amount"])
        try hold(amount == order.amount.bigEndianBytes, "the amount sent is the amount vetted")
        let permitted = Keccak256.hash(
            words: Keccak256.hash(permissions), try address(values["permitted"]?["token"]), amount)
        let to = try address(values["witness"]?["to"])
        try hold(to == order.payTo.word, "the payee sent is the payee vetted")
        let after = try number(values["witness"]?["validAfter"])
        let witness =
            isMaximum
            ? Keccak256.hash(
                words: Keccak256.hash(witnessType), to, try address(values["witness"]?["facilitator"]), after)
            : Keccak256.hash(words: Keccak256.hash(witnessType), to, after)
        let hash = Keccak256.hash(
            words: Keccak256.hash(type), permitted, try address(values["spender"]), try number(values["nonce"]),
            try number(values["deadline"]), witness)
        let contract = try need(Address(hex: "0x000000000022D473030F116dDEE9F6B43aC78BA3"), "Permit2's address")
        let separator = Keccak256.hash(
            words: Keccak256.hash("EIP712Domain(string name,uint256 chainId,address verifyingContract)"),
            Keccak256.hash("Permit2"), UInt256(order.token.chainID).bigEndianBytes, contract.word)
        return digest(separator, hash)
    }

    private static func digest(_ separator: Bytes32, _ hash: Bytes32) -> Bytes32 {
        Keccak256.hash([0x19, 0x01] + separator.bytes + hash.bytes)
    }

    private static func number(_ value: JSONValue?) throws(BrokenInvariant) -> Bytes32 {
        guard let text = value?.string, let number = try? UInt256(decimal: text) else {
            throw BrokenInvariant("a payload's numbers are decimal texts")
        }
        return number.bigEndianBytes
    }

    private static func address(_ value: JSONValue?) throws(BrokenInvariant) -> Bytes32 {
        guard let text = value?.string, let address = Address(hex: text), address.checksummed == text else {
            throw BrokenInvariant("a payload's addresses are checksummed")
        }
        return address.word
    }
}
