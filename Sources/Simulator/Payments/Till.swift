import Ethereum
import Policy
import Primitives
import X402

/// Everybody's money and every authorization that was used: what token contracts would hold.
struct Till: Sendable {
    /// An account at one token.
    private struct Account: Hashable {
        let network: String
        let token: Address
        let owner: Address
    }

    /// What an authorization is unique by: EIP-3009 keeps one set of nonces per token and payer.
    private struct Authorization: Hashable {
        let payer: Account
        let nonce: Bytes32
    }

    /// What an authorization paid for.
    private struct Receipt {
        let digest: Bytes32
        let fingerprint: Bytes32
        let settlement: Settlement
    }

    /// The slack that facilitators want before an authorization ends, in seconds.
    static let slack: UInt64 = 6

    /// Everything taken so far, in order.
    private(set) var settlements: [Settlement] = []
    private let initialBalance: UInt256
    private let seller: Address
    private var balances: [Account: UInt256] = [:]
    private var receipts: [Authorization: Receipt] = [:]
    private var identifiers: [String: Authorization] = [:]

    /// Makes a till where everybody but the seller begins with `initialBalance` atomic units of each token.
    init(initialBalance: UInt256, seller: Address) {
        self.initialBalance = initialBalance
        self.seller = seller
    }

    /// What an account holds of a token, in atomic units.
    func balance(of owner: Address, in asset: Asset) -> UInt256 {
        balance(Account(network: asset.network, token: asset.address, owner: owner))
    }

    private func balance(_ account: Account) -> UInt256 {
        balances[account] ?? (account.owner == seller ? .zero : initialBalance)
    }

    /// Takes a payment for a request, or finds the one that was taken for it before.
    ///
    /// The same authorization for the same request (`fingerprint`) is charged once and answered again, even after its
    /// window; for another request it is refused.
    mutating func settle(
        _ payment: VerifiedPayment, for fingerprint: Bytes32, model: String, at now: Timestamp
    ) throws(PaymentRefusal) -> Settlement {
        let transfer = payment.transfer
        let asset = payment.offer.asset
        let payer = Account(network: asset.network, token: asset.address, owner: transfer.from)
        let authorization = Authorization(payer: payer, nonce: transfer.nonce)
        if let identifier = payment.identifier, let owner = identifiers[identifier], owner != authorization {
            throw .identifierReused
        }
        if let receipt = receipts[authorization] {
            guard receipt.digest == payment.digest, receipt.fingerprint == fingerprint else { throw .nonceUsed }
            return receipt.settlement
        }
        let seconds = UInt64(max(0, now.seconds))
        guard transfer.validAfter < seconds else { throw .tooEarly }
        guard transfer.validBefore >= seconds + Self.slack else { throw .tooLate }
        guard let rest = balance(payer).subtracting(transfer.value) else { throw .balance }
        let payee = Account(network: asset.network, token: asset.address, owner: transfer.to)
        balances[payer] = rest
        balances[payee] = balance(payee).adding(transfer.value) ?? .max
        let settlement = Settlement(of: payment, model: model, at: now)
        receipts[authorization] = Receipt(
            digest: payment.digest, fingerprint: fingerprint, settlement: settlement)
        if let identifier = payment.identifier { identifiers[identifier] = authorization }
        settlements.append(settlement)
        return settlement
    }
}
