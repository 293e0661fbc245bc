/// Finds the model in a decoded body that comes in pieces, in memory that does not grow with it.
protocol BodyScanner {
    /// What was found so far.
    var candidates: ModelCandidates { get }

    /// Reads the next piece.
    mutating func absorb(_ bytes: Span<UInt8>)

    /// Takes note that the body has ended.
    mutating func finish()
}

/// A body of which nobody can say how it is read.
struct UnreadableScanner: BodyScanner {
    private(set) var candidates = ModelCandidates()

    mutating func absorb(_ bytes: Span<UInt8>) {
        if !bytes.isEmpty { candidates.unclear() }
    }

    mutating func finish() {}
}
