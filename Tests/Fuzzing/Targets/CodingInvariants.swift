import Proxy

/// Bodies in content codings: whatever they hold, no more comes out of them than is allowed.
enum CodingInvariants {
    private static let limit = 4096
    private static let names = ["gzip", "deflate", "zstd", "br"]

    /// The first byte of an input says which codings the rest is in.
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        guard let first = input.first else { return }
        let body = Array(input.dropFirst())
        let codings = stride(from: 0, to: 6, by: 2).prefix(Int(first >> 6)).map { names[Int(first >> UInt8($0) & 3)] }
        for isCut in [false, true] {
            let read = ChallengeBody.read(body, codings: codings, isCut: isCut, limit: limit)
            switch read {
            case .whole(let bytes):
                try hold(bytes.count <= limit && !isCut, "what is whole is within the limit")
                try hold(!codings.isEmpty || bytes == body, "without a coding a body is its own text")
            case .beginning(let bytes, let reason):
                try hold(bytes.count <= limit && !reason.isEmpty, "a beginning is within the limit")
            case .unreadable(let reason):
                try hold(!codings.isEmpty && !reason.isEmpty, "without a coding a body can be read")
            }
            try hold(
                read == ChallengeBody.read(body, codings: codings, isCut: isCut, limit: limit),
                "the same body reads the same")
        }
    }
}
