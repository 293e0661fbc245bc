package import Ethereum
package import Primitives
package import X402

/// An approval of Permit2 that goes with a cleared payment, brought on chain by the seller's facilitator.
///
/// A permit allows exactly the payment's amount, until the payment's own end. A transaction allows everything, and the
/// wallet pays its gas.
package struct ClearedApproval: Sendable, Equatable {
    private let approval: SponsoredApproval
    /// What the wallet signs.
    package let signable: Signable

    /// The most that a transaction's gas may cost, in wei: a hundredth of the chain's coin.
    package static let costLimit = UInt256(10_000_000_000_000_000)

    fileprivate init?(_ approval: SponsoredApproval, token: Asset) {
        self.approval = approval
        switch approval {
        case .permit(let sponsoring):
            guard let separator = token.domainSeparator else { return nil }
            signable = Signable(digest: sponsoring.permit.digest(domainSeparator: separator))
        case .transaction(let sponsoring):
            let transaction = sponsoring.transaction
            guard let cost = transaction.fee.ceiling.multiplied(by: transaction.gasLimit), cost <= Self.costLimit else {
                return nil
            }
            signable = Signable(digest: transaction.signingHash)
        }
    }

    /// Who may move the token then.
    package var spender: Address {
        switch approval {
        case .permit(let sponsoring): sponsoring.permit.spender
        case .transaction: Permit2.address
        }
    }

    /// How much of it, in atomic units.
    package var amount: UInt256 {
        switch approval {
        case .permit(let sponsoring): sponsoring.permit.value
        case .transaction: .max
        }
    }

    /// Whether it is a transaction, and no permit.
    package var isTransaction: Bool { if case .transaction = approval { true } else { false } }

    /// The number of the permit, or of the account's transaction.
    package var nonce: UInt256 {
        switch approval {
        case .permit(let sponsoring): sponsoring.permit.nonce
        case .transaction(let sponsoring): UInt256(sponsoring.transaction.nonce)
        }
    }

    /// The payment's `extensions` with the signature in its place.
    ///
    /// With it they are an authorization: never log them.
    package func completing(_ extensions: [UInt8], signature: Signature) -> [UInt8]? {
        approval.completing(extensions, signature: signature)
    }
}

extension ClearedPayment {
    /// The permit by which the seller's facilitator may give the allowance that this payment needs, and no more; nil when
    /// the payment needs none or the table has no domain of the token.
    ///
    /// `nonce` is the token's count of the payer's permits (EIP-2612).
    package func permit(nonce: UInt256) -> SponsoredApproval? {
        guard keeper == .permit2, order.token.domainSeparator != nil else { return nil }
        let permit = EIP2612Permit(
            owner: order.payer, spender: Permit2.address, value: order.amount, nonce: nonce,
            deadline: SponsoredApproval.deadline(of: order))
        return EIP2612Sponsoring(permit, asset: order.token.address).map(SponsoredApproval.permit)
    }

    /// The transaction by which the seller's facilitator may give Permit2 an allowance without a limit; nil when the
    /// payment needs none, the chain has no base fee, or its gas could cost more than ``ClearedApproval/costLimit``.
    ///
    /// `nonce` is the count of the payer's transactions, `fee` what the chain asks now.
    package func approval(nonce: UInt64, fee: Transaction.Fee) -> SponsoredApproval? {
        let transaction = Transaction(
            chainID: order.token.chainID, nonce: nonce, fee: fee, gasLimit: ERC20ApprovalSponsoring.gasLimit,
            to: order.token.address, value: .zero, data: ERC20.approve(spender: Permit2.address, amount: .max))
        guard keeper == .permit2, let transaction,
            let approval = ERC20ApprovalSponsoring(transaction, owner: order.payer).map(SponsoredApproval.transaction),
            ClearedApproval(approval, token: order.token) != nil
        else { return nil }
        return approval
    }

    /// The approval that stands unsigned in the payment's `extensions`, as the books hold them.
    package func approval(in extensions: [UInt8]) -> ClearedApproval? {
        guard keeper == .permit2, let approval = SponsoredApproval(in: extensions, for: order) else { return nil }
        return ClearedApproval(approval, token: order.token)
    }
}
