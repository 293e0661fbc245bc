/// Takes one content coding (RFC 9110 section 8.4.1) off a body that comes in pieces.
///
/// A coding may be read only where no other reader can read it otherwise: bytes after the end of the first member or
/// frame, which some readers ignore and others decode, are an error.
protocol ContentDecoder: AnyObject {
    /// What the last step produced stands at the beginning of it.
    var output: [UInt8] { get }

    /// Decodes the beginning of `input` into ``output``; call again with the rest until nothing is consumed or produced.
    func step(_ input: Span<UInt8>) throws(DecodingFailure) -> (consumed: Int, produced: Int)

    /// Whether the coding has reached its end.
    var isFinished: Bool { get }
}

/// A body that is not what its coding says, or that grows beyond what is read.
struct DecodingFailure: Error {}

/// How much a coding may produce: bounded in all, and against what it was given, so that a small body costs little.
struct DecodingBudget {
    /// The most bytes that one coding may produce.
    static let maximumBytes = 64 << 20
    /// What may always be produced.
    static let allowance = 1 << 20
    /// What each byte may produce beyond that; texts and images of real requests stay below 30.
    static let maximumRatio = 100
    /// Bytes that one step produces at most.
    static let stepBytes = 64 << 10

    private var consumed = 0
    private var produced = 0

    mutating func take(consumed more: Int, produced bytes: Int) throws(DecodingFailure) {
        consumed += more
        produced += bytes
        guard produced <= Self.maximumBytes, produced <= Self.allowance + consumed * Self.maximumRatio else {
            throw DecodingFailure()
        }
    }
}
