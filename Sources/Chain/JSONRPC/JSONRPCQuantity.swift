import Primitives

/// Integers as Ethereum's JSON-RPC writes them: `0x` and hex digits without zeros in front.
///
/// Source: ethereum/execution-apis, schema `uint`.
enum JSONRPCQuantity {
    static func encode(_ number: UInt64) -> String {
        "0x" + String(number, radix: 16)
    }

    /// Reads a quantity of at most 64 bits; nil for anything else.
    static func decode(_ text: String) -> UInt64? {
        decodeWide(text)?.uint64
    }

    /// Reads a quantity of at most 256 bits; nil for anything else.
    static func decodeWide(_ text: String) -> UInt256? {
        let digits = text.utf8.dropFirst(2)
        guard text.utf8.starts(with: "0x".utf8), (1...64).contains(digits.count),
            digits.first != UInt8(ascii: "0") || digits.count == 1,
            let bytes = Hex.decode("0x" + String(repeating: "0", count: 64 - digits.count) + text.dropFirst(2))
        else { return nil }
        return Bytes32(bytes).map { UInt256(bigEndian: $0) }
    }
}
