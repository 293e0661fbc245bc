import Primitives

/// The newest block that an endpoint calls final, or the newest it has.
struct FinalBlock: Sendable, Equatable {
    let number: UInt64
    /// Its hash; nil where the endpoint was only asked for a newer block.
    let hash: Bytes32?
    /// The time of the block that the endpoint was asked for, Unix seconds; nil where it was asked for none.
    let time: Int64?

    /// Seconds that an endpoint's final block may be behind another's: finality comes in steps.
    static let lag: Int64 = 3600
    /// Seconds that an endpoint's newest block may be behind another's.
    ///
    /// All endpoints are asked as of the lowest block, so one of them can make a fee or an allowance so much older.
    static let latestLag: Int64 = 120
    /// Seconds that a newest block may be behind the local clock, on endpoints that are not on loopback.
    static let latestAge: Int64 = 3600
}
