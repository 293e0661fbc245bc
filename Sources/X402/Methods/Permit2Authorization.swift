package import Ethereum
package import Primitives

/// A Permit2 transfer with its owner: what every method over Permit2 signs and writes.
///
/// Source: x402 scheme `exact` on EVM, transfer method `permit2`; scheme `upto` on EVM.
package struct Permit2Authorization: PaymentAuthorization, Equatable {
    /// The payer, who is no part of what is signed.
    package let owner: Address
    /// What is signed.
    package let transfer: PermitWitnessTransferFrom
    /// The EIP-155 chain.
    package let chainID: UInt64

    /// Makes an authorization out of an order, for one spender.
    ///
    /// Orders have open windows, Permit2 and the proxies closed ones: a second less on both sides.
    package init(
        of order: PaymentOrder, spender: Address,
        witness: (_ to: Address, _ validAfter: UInt64) -> PermitWitnessTransferFrom.Witness
    ) {
        owner = order.payer
        chainID = order.token.chainID
        transfer = PermitWitnessTransferFrom(
            token: order.token.address, amount: order.amount, spender: spender, nonce: order.nonce,
            deadline: UInt64(max(0, order.validBefore - 1)),
            witness: witness(order.payTo, UInt64(max(0, order.validAfter + 1))))
    }

    package var digest: Bytes32 { transfer.digest(chainID: chainID) }

    package func payload(signature: Signature) -> [UInt8] {
        var text = JSONText()
        text.object { payload in
            payload.field("signature", signature.hex)
            payload.object("permit2Authorization") { authorization in
                authorization.field("from", owner.checksummed)
                authorization.object("permitted") { permitted in
                    permitted.field("token", transfer.token.checksummed)
                    permitted.field("amount", transfer.amount.description)
                }
                authorization.field("spender", transfer.spender.checksummed)
                authorization.field("nonce", UInt256(bigEndian: transfer.nonce).description)
                authorization.field("deadline", String(transfer.deadline))
                authorization.object("witness") { witness in
                    switch transfer.witness {
                    case .exact(let to, let validAfter):
                        witness.field("to", to.checksummed)
                        witness.field("validAfter", String(validAfter))
                    case .upto(let to, let facilitator, let validAfter):
                        witness.field("to", to.checksummed)
                        witness.field("facilitator", facilitator.checksummed)
                        witness.field("validAfter", String(validAfter))
                    }
                }
            }
        }
        return text.bytes
    }
}

extension PaymentRequirement {
    /// What any method over Permit2 asks: it came with version 2.
    func checkPermit2(_ rules: MethodRules) throws(RefusalCode) {
        guard rules.version == 2 else { throw .transferMethod }
    }
}

extension PaymentRequirement.Extra {
    /// Whether one of these keys is there and says anything but this address.
    func names(otherThan address: Address, as keys: Key...) -> Bool {
        keys.contains { key in self[key].map { Address(hex: $0) != address } ?? false }
    }

    /// The Permit2 spender that a seller names under one of these keys; nil when it names none, refused when what it
    /// names is no address or two differ.
    func spender(_ keys: Key...) throws(RefusalCode) -> Address? {
        var named: Address?
        for key in keys {
            guard let text = self[key] else { continue }
            guard let address = Address(hex: text), named ?? address == address else { throw .spender }
            named = address
        }
        return named
    }
}
