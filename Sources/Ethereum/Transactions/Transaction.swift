package import Primitives

/// A transaction of an account with a key, before or while it is signed: one call of a contract.
package struct Transaction: Hashable, Sendable {
    /// What the sender pays for a unit of gas, in wei; it also says which kind of transaction it is.
    package enum Fee: Hashable, Sendable {
        /// Type 2 (EIP-1559): at most `maximum` a unit, of which at most `priority` goes to the block's producer.
        case dynamic(maximum: UInt256, priority: UInt256)
        /// The legacy kind with replay protection (EIP-155), for chains without a base fee.
        case legacy(price: UInt256)

        /// The most that a unit of gas can cost, in wei.
        package var ceiling: UInt256 {
            switch self {
            case .dynamic(let maximum, _): maximum
            case .legacy(let price): price
            }
        }
    }

    /// The EIP-155 chain, from 1 to 2^63 - 19: twice it and 36 still fit into 64 bits.
    package let chainID: UInt64
    /// How many transactions the sender has made before.
    package let nonce: UInt64
    /// What gas costs.
    package let fee: Fee
    /// The most gas it may use.
    package let gasLimit: UInt64
    /// The contract that is called.
    package let to: Address
    /// What moves of the chain's own coin, in wei.
    package let value: UInt256
    /// What the contract is called with.
    package let data: [UInt8]

    /// Makes a transaction; nil when the chain has no number that a legacy signature can carry, or when the priority
    /// fee is above the maximum (EIP-1559 calls such a transaction invalid).
    package init?(
        chainID: UInt64, nonce: UInt64, fee: Fee, gasLimit: UInt64, to: Address, value: UInt256, data: [UInt8]
    ) {
        guard chainID > 0, chainID <= Self.chainLimit else { return nil }
        if case .dynamic(let maximum, let priority) = fee, priority > maximum { return nil }
        self.chainID = chainID
        self.nonce = nonce
        self.fee = fee
        self.gasLimit = gasLimit
        self.to = to
        self.value = value
        self.data = data
    }

    /// The digest that the sender signs.
    ///
    /// The access list (EIP-2930) is always empty.
    package var signingHash: Bytes32 {
        switch fee {
        case .dynamic: Keccak256.hash([Self.dynamicType] + RLP.list(fields).encoded)
        case .legacy: Keccak256.hash(RLP.list(fields + [.number(chainID), .bytes([]), .bytes([])]).encoded)
        }
    }

    /// The bytes that nodes take, which hold the signature; their hash names the transaction.
    package func serialized(with signature: Signature) -> [UInt8] {
        let proof: [RLP] = [signature.r, signature.s].map { .number(UInt256(bigEndian: $0)) }
        let parity = UInt64(signature.v - 27)
        return switch fee {
        case .dynamic: [Self.dynamicType] + RLP.list(fields + [.number(parity)] + proof).encoded
        case .legacy: RLP.list(fields + [.number(chainID * 2 + 35 + parity)] + proof).encoded
        }
    }

    private static let dynamicType: UInt8 = 2
    private static let chainLimit: UInt64 = (.max - 36) / 2

    private var fields: [RLP] {
        let call: [RLP] = [.number(gasLimit), .bytes(to.bytes), .number(value), .bytes(data)]
        return switch fee {
        case .dynamic(let maximum, let priority):
            [.number(chainID), .number(nonce), .number(priority), .number(maximum)] + call + [.list([])]
        case .legacy(let price): [.number(nonce), .number(price)] + call
        }
    }
}

/// A transaction with its signature, ready to be sent.
package struct SignedTransaction: Hashable, Sendable {
    /// What was signed.
    package let transaction: Transaction
    /// The bytes that nodes take.
    package let bytes: [UInt8]
    /// Its name on the chain.
    package let hash: Bytes32

    /// Puts a transaction and its signature together.
    package init(_ transaction: Transaction, signature: Signature) {
        self.transaction = transaction
        bytes = transaction.serialized(with: signature)
        hash = Keccak256.hash(bytes)
    }
}
