package import Primitives

extension RLP {
    /// Why bytes are not the encoding of one item.
    package enum DecodingError: Error, Equatable, Sendable {
        /// The bytes end inside an item.
        case truncated
        /// Bytes follow the item.
        case trailingBytes
        /// An item is encoded longer than it has to be.
        case notCanonical
        /// Lists stand in lists beyond the limit.
        case tooDeep
        /// There are more items than are read.
        case tooManyItems
    }

    /// The item as a number in its only canonical form, up to 32 bytes; nil for anything else.
    package var word: UInt256? {
        guard case .bytes(let bytes) = self, bytes.count <= 32, bytes.first != 0,
            let padded = Bytes32([UInt8](repeating: 0, count: 32 - bytes.count) + bytes)
        else { return nil }
        return UInt256(bigEndian: padded)
    }

    /// Lists inside lists that are read.
    private static let depthLimit = 8
    /// Items of one document that are read.
    private static let itemLimit = 10_000

    /// Reads exactly one item in its only canonical form; at most 8 lists deep and 10,000 items in all.
    package init(decoding bytes: [UInt8]) throws(DecodingError) {
        var rest = bytes[...]
        var items = 0
        self = try Self.item(&rest, depth: 0, items: &items)
        guard rest.isEmpty else { throw .trailingBytes }
    }

    private static func item(
        _ rest: inout ArraySlice<UInt8>, depth: Int, items: inout Int
    ) throws(DecodingError) -> RLP {
        items += 1
        guard items <= itemLimit else { throw .tooManyItems }
        guard let first = rest.popFirst() else { throw .truncated }
        switch first {
        case 0..<0x80: return .bytes([first])
        case 0x80..<0xc0:
            let content = try take(try length(first - 0x80, &rest), from: &rest)
            if content.count == 1, let byte = content.first, byte < 0x80 { throw .notCanonical }
            return .bytes(Array(content))
        default:
            guard depth < depthLimit else { throw .tooDeep }
            var content = try take(try length(first - 0xc0, &rest), from: &rest)
            var elements: [RLP] = []
            while !content.isEmpty { elements.append(try item(&content, depth: depth + 1, items: &items)) }
            return .list(elements)
        }
    }

    /// The length that a prefix stands for: up to 55 by itself, above that the number of bytes that hold it.
    private static func length(_ prefix: UInt8, _ rest: inout ArraySlice<UInt8>) throws(DecodingError) -> Int {
        guard prefix > 55 else { return Int(prefix) }
        let digits = try take(Int(prefix) - 55, from: &rest)
        guard digits.first != 0 else { throw .notCanonical }
        // No input is so long that its length takes more than four bytes.
        guard digits.count <= 4 else { throw .truncated }
        let length = digits.reduce(0) { $0 << 8 | Int($1) }
        guard length > 55 else { throw .notCanonical }
        return length
    }

    private static func take(
        _ count: Int, from rest: inout ArraySlice<UInt8>
    ) throws(DecodingError) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw .truncated }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
