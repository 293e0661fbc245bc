/// The requests in what a connection received.
struct Requests {
    private(set) var all: [Message] = []

    init(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while let end = Self.endOfHead(rest) {
            var message = Message(head: String(decoding: rest[..<end], as: UTF8.self))
            rest = rest[end...]
            let length =
                message["transfer-encoding"].isEmpty
                ? message["content-length"].first.flatMap { Int($0) } ?? 0 : Self.chunkedLength(rest)
            message.raw = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
            all.append(message)
        }
    }

    private static func endOfHead(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= 4 else { return nil }
        for index in bytes.startIndex...bytes.endIndex - 4
        where bytes[index] == 13 && bytes[index..<index + 4].elementsEqual([13, 10, 13, 10]) {
            return index + 4
        }
        return nil
    }

    private static func chunkedLength(_ bytes: ArraySlice<UInt8>) -> Int {
        var position = bytes.startIndex
        while let end = bytes[position...].firstIndex(of: 10) {
            let line = bytes[position..<end].dropLast().prefix { $0 != 0x3b }
            let size = Int(String(decoding: line, as: UTF8.self), radix: 16) ?? 0
            guard size > 0 else { return (endOfHead(bytes[(end - 1)...]) ?? bytes.endIndex) - bytes.startIndex }
            position = end + 1 + size + 2
        }
        return bytes.count
    }
}
