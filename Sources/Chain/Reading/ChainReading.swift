/// What the chain says about some authorizations as of one final block.
package struct ChainReading: Sendable, Equatable {
    /// The block that everything here was read at.
    package let block: ChainBlock
    /// Whether each probe's nonce is used at that block, in the order of the probes; nil for one that too few endpoints
    /// could say anything of.
    ///
    /// An unused nonce proves that an authorization is dead only when it is expired as of the block:
    /// ``AuthorizationProbe/Kind/isExpired(_:asOf:)``.
    package let isUsed: [Bool?]
    /// Answers that did not count: those of whole endpoints, although enough others agreed, and those about single probes.
    package let leftOut: [EndpointFault]

    /// Makes a reading.
    package init(block: ChainBlock, isUsed: [Bool?], leftOut: [EndpointFault]) {
        self.block = block
        self.isUsed = isUsed
        self.leftOut = leftOut
    }
}
