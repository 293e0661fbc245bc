package import Ethereum
import Primitives

/// An approval of Permit2 that goes with one payment, as it stands in the payment's `extensions` before it is signed.
///
/// The books hold that text, so the same payment always carries the same approval, and nothing signed is ever in them.
package enum SponsoredApproval: Sendable, Equatable {
    /// By `eip2612GasSponsoring`.
    case permit(EIP2612Sponsoring)
    /// By `erc20ApprovalGasSponsoring`.
    case transaction(ERC20ApprovalSponsoring)

    /// Finds the approval in the `extensions` object that ``ExtensionEcho`` wrote for an order; nil when there is none.
    ///
    /// A permit ends with the order's own Permit2 authorization.
    package init?(in extensions: [UInt8], for order: PaymentOrder) {
        guard let object = try? JSONReader.read(extensions, outline: Self.outline) else { return nil }
        let (owner, token) = (order.payer, order.token)
        if let entry = object[EIP2612Sponsoring.key],
            let permit = EIP2612Sponsoring(
                entry: entry, owner: owner, asset: token.address, amount: order.amount,
                deadline: Self.deadline(of: order))
        {
            self = .permit(permit)
        } else if let entry = object[ERC20ApprovalSponsoring.key],
            let approval = ERC20ApprovalSponsoring(
                entry: entry, owner: owner, asset: token.address, chainID: token.chainID)
        {
            self = .transaction(approval)
        } else {
            return nil
        }
    }

    private static let outline = JSONOutline.members(
        [EIP2612Sponsoring.key, ERC20ApprovalSponsoring.key].map { ($0, ExtensionEntry.outline) })

    /// The last second at which a permit that goes with an order may be submitted: that of its Permit2 authorization.
    package static func deadline(of order: PaymentOrder) -> UInt64 { UInt64(max(0, order.validBefore - 1)) }

    /// The seller's entry with everything but the signature.
    package func answer(to offered: [Challenge.Extension]) throws(GasSponsoringProblem) -> ExtensionAnswer {
        switch self {
        case .permit(let permit): try permit.answer(to: offered)
        case .transaction(let approval): try approval.answer(to: offered)
        }
    }

    /// The `extensions` object with the signature in its place; nil when it is not one that holds this approval.
    package func completing(_ extensions: [UInt8], signature: Signature) -> [UInt8]? {
        switch self {
        case .permit: Self.replacing(EIP2612Sponsoring.key, by: signature.hex, in: extensions)
        case .transaction(let approval):
            Self.replacing(
                ERC20ApprovalSponsoring.key,
                by: Hex.prefixed(approval.transaction.serialized(with: signature)), in: extensions)
        }
    }

    private static func replacing(_ key: String, by hex: String, in extensions: [UInt8]) -> [UInt8]? {
        guard let member = GasSponsoring.signedMembers[key],
            let value = (try? JSONReader.read(extensions, outline: outline))?[key]?["info"]?[member]
        else { return nil }
        return extensions[..<value.range.lowerBound] + Array("\"\(hex)\"".utf8)
            + extensions[value.range.upperBound...]
    }
}
