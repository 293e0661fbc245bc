import NIOCore

/// One request as the evil merchant reads it.
struct MerchantRequest: Sendable, Equatable {
    /// The method as sent.
    let method: String
    /// The target's path without the query.
    let path: String
    /// Names in lower case and values, in order.
    let fields: [Field]

    /// One field line.
    struct Field: Sendable, Equatable {
        /// The name in lower case.
        let name: String
        /// The value without blanks around it.
        let value: String
    }

    /// All values of a field, by its lower-case name.
    func values(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }

    /// Whether the client wants no other answer on the connection.
    var endsConnection: Bool {
        values("connection").contains { $0.lowercased() == "close" }
    }
}

/// Why bytes are not a request that the merchant reads.
enum MerchantRequestProblem: Error, Equatable {
    /// The head is longer than ``MerchantRequestReader/maximumHead``.
    case headTooLong
    /// The body is longer than ``MerchantRequestReader/maximumBody``.
    case bodyTooLong
    /// The body's length is not told by Content-Length.
    case lengthRequired
    /// The bytes are no HTTP/1.1.
    case malformed
}

/// Takes requests off a connection one after the other; bodies are read and dropped.
struct MerchantRequestReader {
    /// The longest head, in bytes.
    static let maximumHead = 64 * 1024
    /// The longest body, in bytes.
    static let maximumBody = 1024 * 1024

    /// Where the search for the head's end goes on.
    private var searched = 0

    /// The next request; nil when more bytes are needed.
    mutating func next(from buffer: inout ByteBuffer) throws(MerchantRequestProblem) -> MerchantRequest? {
        guard let headLength = try endOfHead(in: buffer) else { return nil }
        guard let text = buffer.getString(at: buffer.readerIndex, length: headLength) else { throw .malformed }
        let request = try Self.head(text)
        guard request.values("transfer-encoding").isEmpty else { throw .lengthRequired }
        var bodyLength = 0
        if let length = request.values("content-length").first {
            guard let count = Int(length), count >= 0 else { throw .malformed }
            guard count <= Self.maximumBody else { throw .bodyTooLong }
            bodyLength = count
        }
        guard buffer.readableBytes >= headLength + bodyLength else { return nil }
        buffer.moveReaderIndex(forwardBy: headLength + bodyLength)
        searched = 0
        return request
    }

    private mutating func endOfHead(in buffer: ByteBuffer) throws(MerchantRequestProblem) -> Int? {
        let bytes = buffer.readableBytesView
        while searched + 4 <= bytes.count {
            guard searched + 4 <= Self.maximumHead else { throw .headTooLong }
            let start = bytes.startIndex + searched
            if bytes[start..<start + 4].elementsEqual([13, 10, 13, 10]) { return searched + 4 }
            searched += 1
        }
        return nil
    }

    private static func head(_ text: String) throws(MerchantRequestProblem) -> MerchantRequest {
        // Swift takes CR LF for one character.
        var lines = text.split(separator: "\r\n")[...]
        let start = lines.popFirst()?.split(separator: " ") ?? []
        guard start.count == 3, start[2].hasPrefix("HTTP/1.") else { throw .malformed }
        var fields: [MerchantRequest.Field] = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw .malformed }
            var value = line[line.index(after: colon)...]
            while value.first == " " || value.first == "\t" { value.removeFirst() }
            while value.last == " " || value.last == "\t" { value.removeLast() }
            fields.append(MerchantRequest.Field(name: line[..<colon].lowercased(), value: String(value)))
        }
        let path = start[1].prefix { $0 != "?" }
        return MerchantRequest(method: String(start[0]), path: String(path), fields: fields)
    }
}
