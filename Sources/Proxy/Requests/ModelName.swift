import NIOCore
import Primitives
import Transport
import X402

/// What a request asks to be answered by: the `model` of a JSON body, for the books.
enum ModelName {
    /// The longest body that is read for it.
    static let bodyLimit = 1 << 20
    /// The most characters of a name that are kept.
    static let nameLimit = 128

    /// Whether a Content-Type says JSON.
    static func isJSON(_ contentType: String) -> Bool {
        let essence = contentType.prefix { $0 != ";" }
        return essence.trimmingBlanks.lowercased() == "application/json"
    }

    /// The name in a body that is wholly in memory; nil when there is none, or no body that can be read.
    static func read(from content: ReplayContent, isChunked: Bool) -> String? {
        let count = content.prefix.reduce(0) { $0 + $1.readableBytes }
        guard content.pieceCount == 0, count > 0, count <= bodyLimit else { return nil }
        var body: [UInt8] = []
        body.reserveCapacity(count)
        for piece in content.prefix { body.append(contentsOf: piece.readableBytesView) }
        if isChunked {
            guard let plain = try? ChunkScanner.content(of: body) else { return nil }
            body = plain
        }
        guard let name = try? JSONReader.read(body)["model"]?.string, !name.isEmpty else { return nil }
        return name.printable(limit: nameLimit)
    }
}
