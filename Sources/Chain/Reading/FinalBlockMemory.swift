import Primitives

/// What is remembered of a chain's final blocks: the newest one that enough endpoints have agreed on.
///
/// It guards against endpoints that take back what was final. It is only as good as the agreement it came from, so it is
/// forgotten when readings contradict it several times in a row: otherwise one wrong answer would end all proof.
struct FinalBlockMemory: Sendable, Equatable {
    /// Readings in a row that may contradict the memory before it is forgotten.
    static let patience = 10
    /// Seconds from one reading that counts against the memory to the next: one look at a chain may read several times.
    static let pace: Int64 = 20
    /// Blocks that a chain may be ahead of its rate, since several can carry the same second.
    static let slack: UInt64 = 1000
    /// The most blocks that a chain makes in a second, unless the configuration says otherwise.
    static let standardRate: UInt64 = 20

    /// The most blocks that this chain makes in a second.
    let rate: UInt64
    /// The newest final block that enough endpoints have agreed on; nil when there is none, or none any more.
    private(set) var agreed: ChainBlock?
    /// Readings in a row that have contradicted it.
    private(set) var contradictions = 0
    /// When the last one of them was counted.
    private var contradictedAt: Timestamp?

    init(rate: UInt64 = FinalBlockMemory.standardRate) {
        self.rate = rate
    }

    /// Throws when a block that an endpoint calls final lies below the agreed one, or is another in its place.
    func check(_ final: FinalBlock) throws(EndpointFault.Reason) {
        guard let agreed else { return }
        let replaces = final.number == agreed.number && final.hash != nil && final.hash != agreed.hash
        guard final.number >= agreed.number, !replaces else {
            throw .wentBack(from: agreed.number, to: final.number)
        }
    }

    /// Throws when a block cannot have followed the agreed one: it comes too soon for its number, or its time is lower.
    func check(_ block: ChainBlock) throws(ChainError) {
        guard let agreed, block.number > agreed.number else { return }
        let error = ChainError.implausible(block: block.number, after: agreed.number, rate: rate)
        guard block.time >= agreed.time, let seconds = UInt64(exactly: block.time - agreed.time) else { throw error }
        let (blocks, overflows) = seconds.multipliedReportingOverflow(by: rate)
        guard
            overflows || block.number - agreed.number <= Self.slack
                || block.number - agreed.number - Self.slack <= blocks
        else { throw error }
    }

    /// Remembers a block that enough endpoints agree on, unless a newer one is known.
    mutating func agree(on block: ChainBlock) {
        (contradictions, contradictedAt) = (0, nil)
        if agreed.map({ $0.number < block.number }) ?? true { agreed = block }
    }

    /// Counts a reading that failed because of the memory, unless another one was counted a moment ago.
    ///
    /// Returns the block that is forgotten when that was the last contradiction it is given.
    mutating func contradict(at now: Timestamp) -> ChainBlock? {
        guard let block = agreed else { return nil }
        // A clock that was put back does not stop the count.
        if let contradictedAt, (0..<Self.pace).contains(now.seconds - contradictedAt.seconds) { return nil }
        contradictedAt = now
        contradictions += 1
        guard contradictions >= Self.patience else { return nil }
        (agreed, contradictions, contradictedAt) = (nil, 0, nil)
        return block
    }
}
