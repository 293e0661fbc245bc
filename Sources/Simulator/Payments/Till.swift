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

    /// What an authorization is unique by: a nonce, in the set that a contract keeps for a payer on a network.
    private struct Authorization: Hashable {
        let network: String
        let keeper: Address
        let payer: Address
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

    /// Makes a till where everybody but the seller begins with `initialBalance` millionths of each token.
    ///
    /// Everybody has also given Permit2 an allowance without limit.
    init(initialBalance: UInt256, seller: Address) {
        self.initialBalance = initialBalance
        self.seller = seller
    }

    /// What an account holds of a token, in atomic units.
    func balance(of owner: Address, in asset: Asset) -> UInt256 {
        balances[Self.account(of: owner, in: asset)]
            ?? (owner == seller ? .zero : asset.units(ofMillionths: initialBalance))
    }

    private static func account(of owner: Address, in asset: Asset) -> Account {
        Account(network: asset.network, token: asset.address, owner: owner)
    }

    /// Takes a payment for a request, or finds the one that was taken for it before.
    ///
    /// `amount` is what is taken, at most what is signed for. A facilitator that settles nothing sends no transaction: the
    /// nonce stays unused, and the payer may pay with it again. The same authorization for the same request (`fingerprint`) is charged once and answered again, even after its
    /// window; for another request it is refused.
    mutating func settle(
        _ payment: VerifiedPayment, charging amount: UInt256, for fingerprint: Bytes32, model: String,
        at now: Timestamp
    ) throws(PaymentRefusal) -> Settlement {
        let transfer = payment.transfer
        let asset = payment.offer.asset
        let authorization = Authorization(
            network: asset.network, keeper: transfer.keeper(in: asset), payer: transfer.payer, nonce: transfer.nonce)
        if let identifier = payment.identifier, let owner = identifiers[identifier], owner != authorization {
            throw .identifierReused
        }
        if let receipt = receipts[authorization] {
            guard receipt.digest == payment.digest, receipt.fingerprint == fingerprint else { throw .nonceUsed }
            return receipt.settlement
        }
        try transfer.checkWindow(at: UInt64(max(0, now.seconds)), slack: Self.slack)
        let held = balance(of: transfer.payer, in: asset)
        guard held >= transfer.amount, let rest = held.subtracting(amount) else { throw .balance }
        balances[Self.account(of: transfer.payer, in: asset)] = rest
        balances[Self.account(of: transfer.payTo, in: asset)] =
            balance(of: transfer.payTo, in: asset).adding(amount) ?? .max
        let settlement = Settlement(of: payment, charging: amount, model: model, at: now)
        if !amount.isZero {
            receipts[authorization] = Receipt(
                digest: payment.digest, fingerprint: fingerprint, settlement: settlement)
        }
        if let identifier = payment.identifier { identifiers[identifier] = authorization }
        settlements.append(settlement)
        return settlement
    }
}

extension Asset {
    /// An amount in atomic units, from millionths of a whole token; rounded down, and capped at what a token can hold.
    func units(ofMillionths millionths: UInt256) -> UInt256 {
        var units = millionths
        if decimals >= 6 {
            for _ in 6..<decimals { units = units.multiplied(by: 10) ?? .max }
        } else {
            for _ in decimals..<6 { units = units.quotientAndRemainder(dividingBy: 10)?.quotient ?? .zero }
        }
        return units
    }
}
