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
    package var signingHash: Bytes32 { Keccak256.hash(unsigned) }

    /// The bytes whose hash the sender signs.
    ///
    /// The access list (EIP-2930) is always empty.
    package var unsigned: [UInt8] {
        switch fee {
        case .dynamic: [Self.dynamicType] + RLP.list(fields).encoded
        case .legacy: RLP.list(fields + [.number(chainID), .bytes([]), .bytes([])]).encoded
        }
    }

    /// Reads ``unsigned`` of type 2 with an empty access list; nil for anything else.
    package init?(unsigned bytes: [UInt8]) {
        guard bytes.first == Self.dynamicType, bytes.count <= Self.longestRead,
            case .list(let items)? = try? RLP(decoding: Array(bytes.dropFirst())), items.count == 9,
            let chainID = items[0].word?.uint64, let nonce = items[1].word?.uint64, let priority = items[2].word,
            let maximum = items[3].word, let gasLimit = items[4].word?.uint64,
            case .bytes(let recipient) = items[5], let to = Address(recipient), let value = items[6].word,
            case .bytes(let data) = items[7]
        else { return nil }
        self.init(
            chainID: chainID, nonce: nonce, fee: .dynamic(maximum: maximum, priority: priority), gasLimit: gasLimit,
            to: to, value: value, data: data)
        // Whatever was not looked at, such as an access list, is not what would be written.
        guard unsigned == bytes else { return nil }
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
    /// The longest transaction that is read, in bytes; one that calls `approve` has about 120.
    private static let longestRead = 1024
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
