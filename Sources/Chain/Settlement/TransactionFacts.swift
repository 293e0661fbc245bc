import Ethereum
import Primitives

/// One transfer of a token on one route, by its event.
struct TransferEvent: Hashable, Sendable {
    let transaction: Bytes32
    let block: UInt64
    /// Its place among the block's events.
    let index: UInt64
    /// What moved, in atomic units.
    let amount: UInt256

    /// Events of one answer that are read.
    static let limit = 1000

    /// Reads an event of a node; nil when it is another event or on another route.
    ///
    /// Throws for what is no event, and for one that a reorganization has undone.
    init?(_ log: JSONValue, on route: TransferRoute) throws(EndpointFault.Reason) {
        guard let address = log["address"]?.string.flatMap({ Address(hex: $0) }),
            let topics = log["topics"]?.elements?.map({ $0.string.flatMap(JSONRPCData.decode).flatMap { Bytes32($0) } }
            ),
            let data = log["data"]?.string.flatMap(JSONRPCData.decode),
            let transaction = log["transactionHash"]?.string.flatMap(JSONRPCData.decode).flatMap({ Bytes32($0) }),
            let block = log["blockNumber"]?.string.flatMap(JSONRPCQuantity.decode),
            let index = log["logIndex"]?.string.flatMap(JSONRPCQuantity.decode), log["removed"]?.bool != true
        else { throw .badTransaction }
        guard address == route.token, topics == [ERC20.transferTopic, route.from.word, route.to.word] else {
            return nil
        }
        guard let amount = Bytes32(data) else { throw .badTransaction }
        self.transaction = transaction
        self.block = block
        self.index = index
        self.amount = UInt256(bigEndian: amount)
    }

    /// Reads a list of events and keeps those on the route, in the order of the chain.
    static func all(in logs: JSONValue, on route: TransferRoute) throws(EndpointFault.Reason) -> [TransferEvent] {
        guard let elements = logs.elements, elements.count <= limit else { throw .badTransaction }
        var events: [TransferEvent] = []
        for element in elements {
            if let event = try TransferEvent(element, on: route) { events.append(event) }
        }
        return events.sorted { ($0.block, $0.index) < ($1.block, $1.index) }
    }
}

/// A transaction that is in a block, and what became of it there.
struct TransactionFacts: Hashable, Sendable {
    let hash: Bytes32
    let block: UInt64
    let blockHash: Bytes32
    let succeeded: Bool
    /// Whom it calls; nil where it makes a contract.
    let to: Address?
    let input: [UInt8]
    /// What it moved on the route.
    let transfers: [TransferEvent]

    /// Reads the answers to `eth_getTransactionByHash` and `eth_getTransactionReceipt`; nil when it is in no block.
    init?(
        _ hash: Bytes32, transaction: JSONValue, receipt: JSONValue, route: TransferRoute
    ) throws(EndpointFault.Reason) {
        guard !transaction.isNull, !receipt.isNull else { return nil }
        guard Self.word(transaction, "hash") == hash, Self.word(receipt, "transactionHash") == hash,
            let blockHash = Self.word(receipt, "blockHash"), Self.word(transaction, "blockHash") == blockHash,
            let block = receipt["blockNumber"]?.string.flatMap(JSONRPCQuantity.decode),
            let input = transaction["input"]?.string.flatMap(JSONRPCData.decode), let logs = receipt["logs"],
            let status = receipt["status"]?.string.flatMap(JSONRPCQuantity.decode), status < 2
        else { throw .badTransaction }
        let to = transaction["to"]?.string.flatMap { Address(hex: $0) }
        guard to != nil || transaction["to"]?.isNull ?? true else { throw .badTransaction }
        let transfers = try TransferEvent.all(in: logs, on: route)
        guard transfers.allSatisfy({ $0.transaction == hash && $0.block == block }) else { throw .badTransaction }
        self.hash = hash
        self.block = block
        self.blockHash = blockHash
        succeeded = status == 1
        self.to = to
        self.input = input
        self.transfers = transfers
    }

    private static func word(_ object: JSONValue, _ key: String) -> Bytes32? {
        object[key]?.string.flatMap(JSONRPCData.decode).flatMap { Bytes32($0) }
    }
}
