import Ethereum
import Primitives

/// One call of a contract that changes nothing, and what its answer means.
struct ContractQuestion<Value: Sendable & Equatable>: Sendable {
    let contract: Address
    let data: [UInt8]
    /// What the contract's answer means; nil for bytes that cannot be its answer.
    let meaning: @Sendable ([UInt8]) -> Value?
}

extension ContractQuestion<Bool> {
    /// Whether an authorization's nonce is used.
    init(_ probe: AuthorizationProbe) {
        self.init(contract: AuthorizationCall.contract(for: probe), data: AuthorizationCall.data(for: probe)) {
            AuthorizationCall.isUsed($0, for: probe)
        }
    }
}

extension ContractQuestion<UInt256> {
    /// A question that is answered by one number: an address without a contract answers with no bytes.
    init(number contract: Address, _ data: [UInt8]) {
        self.init(contract: contract, data: data) { answer in Bytes32(answer).map { UInt256(bigEndian: $0) } }
    }
}
