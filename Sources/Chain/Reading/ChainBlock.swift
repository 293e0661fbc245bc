package import Primitives

/// What is known of a block.
package struct ChainBlock: Hashable, Sendable {
    /// Its number.
    package let number: UInt64
    /// Its hash, as the endpoints name it; it is not computed anew.
    package let hash: Bytes32
    /// Its time in Unix seconds, as contracts see it.
    package let time: Int64

    /// Makes a block.
    package init(number: UInt64, hash: Bytes32, time: Int64) {
        self.number = number
        self.hash = hash
        self.time = time
    }

    /// Reads the answer to `eth_getBlockByNumber`; `now` is the local clock.
    init(_ answer: JSONValue, now: Timestamp) throws(EndpointFault.Reason) {
        guard !answer.isNull else { throw .noBlock }
        guard let number = answer["number"]?.string.flatMap(JSONRPCQuantity.decode),
            let hash = answer["hash"]?.string.flatMap(JSONRPCData.decode).flatMap({ Bytes32($0) }),
            let time = answer["timestamp"]?.string.flatMap(JSONRPCQuantity.decode).flatMap({ Int64(exactly: $0) })
        else { throw .badBlock }
        // A node that runs ahead of its chain's time would make authorizations look expired that are not.
        guard time <= now.adding(seconds: Self.tolerance).seconds else { throw .futureBlock(time: time) }
        self.init(number: number, hash: hash, time: time)
    }

    /// Seconds that a block may be ahead of the local clock: clocks differ, and blocks come while a reading lasts.
    static let tolerance: Int64 = 60
}
