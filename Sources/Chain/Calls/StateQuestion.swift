import Ethereum
import Primitives

/// One question about a chain's state, and what its answer means.
struct StateQuestion<Value: Sendable & Equatable>: Sendable {
    /// The call that asks it, as of the block of this number.
    let call: @Sendable (UInt64) -> JSONRPCCall
    /// What is wrong with a result that has no meaning.
    let fault: EndpointFault.Reason
    /// What the result means; nil for what cannot be the answer.
    let meaning: @Sendable (JSONValue) -> Value?

    private init(
        call: @escaping @Sendable (UInt64) -> JSONRPCCall, fault: EndpointFault.Reason,
        meaning: @escaping @Sendable (JSONValue) -> Value?
    ) {
        self.call = call
        self.fault = fault
        self.meaning = meaning
    }

    /// Calls a contract, whose answer is bytes; with `account` as if that had sent it.
    init(
        contract: Address, data: [UInt8], from account: Address? = nil, meaning: @escaping @Sendable ([UInt8]) -> Value?
    ) {
        self.init(
            call: { NodeCall.contract(contract, data: data, from: account, at: $0) }, fault: .badWord,
            meaning: { $0.string.flatMap(JSONRPCData.decode).flatMap(meaning) })
    }
}

extension StateQuestion<Bool> {
    /// Whether an authorization's nonce is used.
    init(_ probe: AuthorizationProbe) {
        self.init(contract: AuthorizationCall.contract(for: probe), data: AuthorizationCall.data(for: probe)) {
            AuthorizationCall.isUsed($0, for: probe)
        }
    }
}

extension StateQuestion<UInt256> {
    /// A question to a contract that is answered by one number: an address without a contract answers with no bytes.
    init(number contract: Address, _ data: [UInt8]) {
        self.init(contract: contract, data: data) { answer in Bytes32(answer).map { UInt256(bigEndian: $0) } }
    }

    /// What an account has of the chain's own coin, in wei.
    static func coinBalance(of account: Address) -> Self {
        Self(
            call: { NodeCall.coinBalance(account, JSONRPCQuantity.encode($0)) }, fault: .badQuantity,
            meaning: { $0.string.flatMap(JSONRPCQuantity.decodeWide) })
    }
}

extension StateQuestion<UInt64> {
    /// How many transactions of an account are in blocks: the number of its next one, while none is on its way.
    static func transactionCount(of account: Address) -> Self {
        Self(
            call: { NodeCall.transactionCount(account, JSONRPCQuantity.encode($0)) }, fault: .badQuantity,
            meaning: NodeCall.transactionCount(in:))
    }
}

extension StateQuestion<[UInt8]> {
    /// What a contract would answer an account, were the call a transaction.
    init(simulating data: [UInt8], from account: Address, to contract: Address) {
        self.init(contract: contract, data: data, from: account) { $0 }
    }
}
