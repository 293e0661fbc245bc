import Primitives

/// The newest block that an endpoint calls final, or the newest it has.
struct FinalBlock: Sendable, Equatable {
    let number: UInt64
    /// Its hash; nil where the endpoint was only asked for a newer block.
    let hash: Bytes32?
    /// The time of the block that the endpoint was asked for, Unix seconds; nil where it was asked for none.
    let time: Int64?

    /// Seconds that an endpoint's block may be behind another's, or behind the clock where the newest block is asked for.
    static let lag: Int64 = 3600
}
