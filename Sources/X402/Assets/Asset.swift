package import Ethereum
package import Primitives

/// How a token moves when somebody else submits the payer's signature and the seller says nothing about it.
package enum TransferMethod: String, Sendable, CaseIterable {
    /// The token itself checks a `TransferWithAuthorization` signature.
    case eip3009
    /// Permit2 moves it within an allowance that the payer gave once; any ERC-20 can be moved so.
    case permit2
}

/// How a token lets an allowance be changed.
package enum ApprovalRule: String, Sendable, CaseIterable {
    /// From any amount to any other.
    case plain
    /// Only from zero or to zero: `approve` reverts when both the old and the new amount are above it.
    case resetToZero = "reset-to-zero"
}

/// One row of the pinned table: a token that may be paid, with everything a signature for it depends on.
package struct Asset: Sendable, Hashable {
    /// The token as the books name it, `network/address`; worked out once.
    package let name: String
    /// The CAIP-2 network.
    package let network: String
    /// The EIP-155 chain id inside `network`.
    package let chainID: UInt64
    /// The token contract.
    package let address: Address
    /// The contract in EIP-55, worked out once.
    package let addressText: String
    /// The family operators write, `USDT`.
    package let symbol: String
    /// What the contract calls itself, `USD₮0`.
    package let tokenSymbol: String
    /// The token's decimals, 0 to 36.
    package let decimals: Int
    /// How it moves.
    package let transfer: TransferMethod
    /// The EIP-712 domain; nil for tokens that have none.
    package let domain: EIP712Domain?
    /// The domain's separator, computed once; nil with the domain.
    package let domainSeparator: Bytes32?
    /// Dollars of one whole token, for caps.
    package let par: Dollars
    /// How an allowance is changed.
    package var approval: ApprovalRule

    /// Makes a row; nil when the network is not `eip155:N`, decimals or par are out of range, or an EIP-3009 token
    /// lacks its domain.
    package init?(
        network: String, address: Address, symbol: String, tokenSymbol: String?, decimals: Int,
        transfer: TransferMethod, domainName: String?, domainVersion: String?, salt: Bytes32? = nil, par: Dollars,
        approval: ApprovalRule = .plain
    ) {
        guard let chainID = Self.chainID(of: network), (0...36).contains(decimals), par > .zero, !symbol.isEmpty else {
            return nil
        }
        var domain: EIP712Domain?
        if let domainName, let domainVersion {
            domain = EIP712Domain(
                name: domainName, version: domainVersion, chainID: chainID, verifyingContract: address, salt: salt)
        }
        guard domain != nil || transfer != .eip3009 else { return nil }
        self.network = network
        self.chainID = chainID
        self.address = address
        addressText = address.checksummed
        name = "\(network)/\(addressText)"
        self.symbol = symbol
        self.tokenSymbol = tokenSymbol ?? symbol
        self.decimals = decimals
        self.transfer = transfer
        self.domain = domain
        self.domainSeparator = domain?.separator
        self.par = par
        self.approval = approval
    }

    /// The chain id in a CAIP-2 name of the `eip155` namespace, or nil.
    package static func chainID(of network: String) -> UInt64? {
        guard network.hasPrefix("eip155:") else { return nil }
        let digits = network.dropFirst(7)
        guard digits.utf8.first != 0x30, digits.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
        return UInt64(digits)
    }
}
