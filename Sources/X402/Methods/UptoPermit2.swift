package import Ethereum
import Primitives

/// Scheme `upto`: the price is a maximum, and the seller's facilitator settles what was used.
///
/// Source: x402 scheme `upto` on EVM, x402UptoPermit2Proxy.
package struct UptoPermit2: PaymentMethod {
    /// The proxy, by CREATE2 the same on every chain.
    package static let proxy = Address(
        lastBytesOf: Bytes32(words: (0, 0x4020_a4f3, 0xb7b9_0cca_423b_9fab, 0xcc0c_e57c_6c24_0002)))

    package let name = "upto-permit2"
    package let scheme = "upto"
    package let keeper = NonceKeeper.permit2

    /// Makes the method.
    package init() {}

    package func claims(_ entry: PaymentRequirement) -> Bool {
        entry.extra.assetTransferMethod ?? "permit2" == "permit2"
    }

    package func check(
        _ entry: PaymentRequirement, token: Asset, under rules: MethodRules
    ) throws(RefusalCode) -> DictatedTerms {
        try entry.checkPermit2(rules)
        guard try entry.extra.spender(.spender, .permit2Spender, .spenderAddress) ?? Self.proxy == Self.proxy else {
            throw .spender
        }
        guard !GatePermit2.dictates(entry) else { throw .dictated }
        guard facilitator(in: entry.extra) != nil else { throw .facilitator }
        return .none
    }

    package func authorization(of order: PaymentOrder) -> (any PaymentAuthorization)? {
        guard let facilitator = facilitator(in: order.extra) else { return nil }
        return Permit2Authorization(of: order, spender: Self.proxy) {
            .upto(to: $0, facilitator: facilitator, validAfter: $1)
        }
    }

    /// The only account that may settle; without one the contract would let nobody.
    private func facilitator(in extra: PaymentRequirement.Extra) -> Address? {
        extra[.facilitatorAddress].flatMap { Address(hex: $0) }.flatMap { $0 == .zero ? nil : $0 }
    }
}
