package import Primitives

/// Uniswap's Permit2, which moves any ERC-20 within an allowance that its owner gave it once.
package enum Permit2 {
    /// The contract, on every chain that has it.
    package static let address = Address(
        lastBytesOf: Bytes32(words: (0, 0, 0x0022_d473_030f_116d, 0xdee9_f6b4_3ac7_8ba3)))

    /// The EIP-712 domain's separator on one chain: name and contract, no version.
    package static func separator(chainID: UInt64) -> Bytes32 {
        Keccak256.hash(
            words: domainTypeHash, nameHash, UInt256(chainID).bigEndianBytes, address.word)
    }

    private static let nameHash = Keccak256.hash("Permit2")
    private static let domainTypeHash = Keccak256.hash(
        "EIP712Domain(string name,uint256 chainId,address verifyingContract)")
}

/// A transfer out of a Permit2 allowance that one spender may submit once, bound to a witness of that spender.
///
/// Source: Permit2 `SignatureTransfer.permitWitnessTransferFrom`; the witnesses are those of the x402 proxies.
package struct PermitWitnessTransferFrom: Hashable, Sendable {
    /// What the spender's contract enforces besides the amount.
    package enum Witness: Hashable, Sendable {
        /// Scheme `exact`: the payee, and the chain time from which it may settle.
        case exact(to: Address, validAfter: UInt64)
        /// Scheme `upto`: the same, and the only account that may settle.
        case upto(to: Address, facilitator: Address, validAfter: UInt64)
    }

    /// The token.
    package let token: Address
    /// What is moved at most, in atomic units.
    package let amount: UInt256
    /// The contract that may submit it.
    package let spender: Address
    /// Unordered: the upper 248 bits name a word of the owner's bitmap, the lowest byte a bit in it.
    package let nonce: Bytes32
    /// The last second of chain time at which it can settle.
    package let deadline: UInt64
    /// What the spender enforces.
    package let witness: Witness

    /// Makes a transfer.
    package init(
        token: Address, amount: UInt256, spender: Address, nonce: Bytes32, deadline: UInt64, witness: Witness
    ) {
        self.token = token
        self.amount = amount
        self.spender = spender
        self.nonce = nonce
        self.deadline = deadline
        self.witness = witness
    }

    /// `hashStruct` of EIP-712.
    package var structHash: Bytes32 {
        let permitted = Keccak256.hash(words: Self.permissionsTypeHash, token.word, amount.bigEndianBytes)
        let (typeHash, witness) = hashes
        return Keccak256.hash(
            words: typeHash, permitted, spender.word, nonce, UInt256(deadline).bigEndianBytes, witness)
    }

    /// The digest to sign on one chain.
    package func digest(chainID: UInt64) -> Bytes32 {
        EIP712Domain.digest(separator: Permit2.separator(chainID: chainID), structHash: structHash)
    }

    private var hashes: (type: Bytes32, witness: Bytes32) {
        switch witness {
        case .exact(let to, let validAfter):
            let hash = Keccak256.hash(
                words: Self.exactWitnessTypeHash, to.word, UInt256(validAfter).bigEndianBytes)
            return (Self.exactTypeHash, hash)
        case .upto(let to, let facilitator, let validAfter):
            let hash = Keccak256.hash(
                words: Self.uptoWitnessTypeHash, to.word, facilitator.word, UInt256(validAfter).bigEndianBytes)
            return (Self.uptoTypeHash, hash)
        }
    }

    private static let head =
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,"
        + "Witness witness)"
    private static let permissions = "TokenPermissions(address token,uint256 amount)"
    private static let exactWitness = "Witness(address to,uint256 validAfter)"
    private static let uptoWitness = "Witness(address to,address facilitator,uint256 validAfter)"

    /// The hash of `TokenPermissions`.
    package static let permissionsTypeHash = Keccak256.hash(permissions)
    /// The hash of the witness of `exact`.
    package static let exactWitnessTypeHash = Keccak256.hash(exactWitness)
    /// The hash of the witness of `upto`.
    package static let uptoWitnessTypeHash = Keccak256.hash(uptoWitness)
    /// The hash of the whole type with the witness of `exact`.
    package static let exactTypeHash = Keccak256.hash(head + permissions + exactWitness)
    /// The hash of the whole type with the witness of `upto`.
    package static let uptoTypeHash = Keccak256.hash(head + permissions + uptoWitness)
}
