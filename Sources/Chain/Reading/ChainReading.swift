/// What the chain says about some authorizations as of one final block.
package struct ChainReading: Sendable, Equatable {
    /// The block that everything here was read at.
    package let block: ChainBlock
    /// Whether each probe's nonce is used at that block, in the order of the probes.
    ///
    /// An unused nonce proves that an authorization is dead only when it is expired as of the block:
    /// ``AuthorizationProbe/Kind/isExpired(_:asOf:)``.
    package let isUsed: [Bool]
    /// Endpoints whose answers did not count, although enough others agreed: somebody should know.
    package let leftOut: [EndpointFault]

    /// Makes a reading.
    package init(block: ChainBlock, isUsed: [Bool], leftOut: [EndpointFault]) {
        self.block = block
        self.isUsed = isUsed
        self.leftOut = leftOut
    }
}
