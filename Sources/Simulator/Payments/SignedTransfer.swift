import Ethereum
import Primitives
import X402

/// What a payer signed: a transfer of EIP-3009, or one of Permit2 and whose it is.
enum SignedTransfer: Sendable, Equatable {
    /// A transfer that the token checks.
    case eip3009(TransferWithAuthorization)
    /// A transfer that Permit2 checks; the owner is no part of what is signed.
    case permit2(owner: Address, PermitWitnessTransferFrom)

    /// Who pays.
    var payer: Address {
        switch self {
        case .eip3009(let transfer): transfer.from
        case .permit2(let owner, _): owner
        }
    }

    /// Who is paid.
    var payTo: Address {
        switch self {
        case .eip3009(let transfer): transfer.to
        case .permit2(_, let transfer):
            switch transfer.witness {
            case .exact(let to, _), .upto(let to, _, _): to
            }
        }
    }

    /// What moves at most, in atomic units.
    var amount: UInt256 {
        switch self {
        case .eip3009(let transfer): transfer.value
        case .permit2(_, let transfer): transfer.amount
        }
    }

    /// What makes it unique for the payer at its keeper.
    var nonce: Bytes32 {
        switch self {
        case .eip3009(let transfer): transfer.nonce
        case .permit2(_, let transfer): transfer.nonce
        }
    }

    /// The contract that remembers the nonce: Permit2 has one set for all tokens, EIP-3009 one in each.
    func keeper(in token: Asset) -> Address {
        switch self {
        case .eip3009: token.address
        case .permit2: Permit2.address
        }
    }

    /// The digest that the keeper would check; nil for EIP-3009 and a token without a domain.
    func digest(in token: Asset) -> Bytes32? {
        switch self {
        case .eip3009(let transfer): token.domainSeparator.map { transfer.digest(domainSeparator: $0) }
        case .permit2(_, let transfer): transfer.digest(chainID: token.chainID)
        }
    }

    /// Whether it can settle at a chain time, Unix seconds, and still `slack` seconds later.
    ///
    /// EIP-3009 wants a time later than `validAfter`; Permit2 and its proxies take both ends of the window.
    func checkWindow(at seconds: UInt64, slack: UInt64) throws(PaymentRefusal) {
        switch self {
        case .eip3009(let transfer):
            guard transfer.validAfter < seconds else { throw .tooEarly }
            guard transfer.validBefore >= seconds + slack else { throw .tooLate }
        case .permit2(_, let transfer):
            switch transfer.witness {
            case .exact(_, let validAfter), .upto(_, _, let validAfter):
                guard validAfter <= seconds else { throw .tooEarly }
            }
            guard transfer.deadline >= seconds + slack else { throw .tooLate }
        }
    }

    /// Checks what is signed for against what was offered, to the unit; the signature is not looked at.
    func check(against offer: Offer) throws(PaymentRefusal) {
        if case .permit2(_, let transfer) = self {
            switch (offer.method, transfer.witness) {
            case (.permit2, .exact):
                guard transfer.spender == ExactPermit2.proxy else { throw .spender }
            case (.upto, .upto(_, let facilitator, _)):
                guard transfer.spender == UptoPermit2.proxy else { throw .spender }
                guard facilitator == SaleMethod.facilitator else { throw .facilitator }
            default: throw .malformed
            }
            guard transfer.token == offer.asset.address else { throw .token }
        } else if offer.method != .eip3009 {
            throw .malformed
        }
        guard payTo == offer.payTo else { throw .recipient }
        guard amount == offer.amount else { throw .value }
    }
}
