import NIOCore
import Transport

/// How the body of an answer travels on to the agent, and what becomes of the connection behind it.
struct AnswerRelay {
    /// Takes the chunked coding off for a peer that speaks HTTP/1.0.
    private var dechunker: ChunkScanner?
    /// Whether the connection ends behind the answer.
    let closesConnection: Bool
    /// Whether nothing but the end of the connection tells the agent where the body ends.
    let endsWithConnection: Bool

    /// Before there is an answer.
    init() {
        closesConnection = false
        endsWithConnection = false
    }

    init(_ response: AgentResponse) {
        if case .dechunked(let scanner) = response.relay { dechunker = scanner }
        closesConnection = response.closesConnection
        endsWithConnection = response.endsWithConnection
    }

    /// Passes a piece of the body on.
    mutating func write(_ bytes: ByteBuffer, to channel: (any AgentChannel)?) {
        guard var scanner = dechunker else {
            channel?.write(bytes)
            return
        }
        let start = bytes.readerIndex
        _ = try? scanner.scan(bytes.readableBytesUInt8Span) { range in
            if let content = bytes.getSlice(at: start + range.lowerBound, length: range.count) {
                channel?.write(content)
            }
        }
        dechunker = scanner
    }
}
