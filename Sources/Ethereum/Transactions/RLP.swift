package import Primitives

/// One item of Recursive Length Prefix coding: bytes, or a list of items.
///
/// Source: Ethereum Yellow Paper, appendix B.
package indirect enum RLP: Hashable, Sendable {
    /// A string of bytes; the empty one stands for zero and for "nobody".
    case bytes([UInt8])
    /// A list.
    case list([RLP])

    /// A number as big-endian bytes without zeros in front.
    package static func number(_ value: UInt256) -> RLP {
        .bytes(Array(value.bigEndianBytes.bytes.drop { $0 == 0 }))
    }

    /// A number as big-endian bytes without zeros in front.
    package static func number(_ value: UInt64) -> RLP { number(UInt256(value)) }

    /// The encoded bytes.
    package var encoded: [UInt8] {
        switch self {
        case .bytes(let bytes):
            if bytes.count == 1, bytes[0] < 0x80 { return bytes }
            return Self.prefix(0x80, count: bytes.count) + bytes
        case .list(let items):
            let content = items.flatMap(\.encoded)
            return Self.prefix(0xc0, count: content.count) + content
        }
    }

    private static func prefix(_ base: UInt8, count: Int) -> [UInt8] {
        guard count > 55 else { return [base + UInt8(count)] }
        let digits = Array(UInt256(UInt64(count)).bigEndianBytes.bytes.drop { $0 == 0 })
        return [base + 55 + UInt8(digits.count)] + digits
    }
}
