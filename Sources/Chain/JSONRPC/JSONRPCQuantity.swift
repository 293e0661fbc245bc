/// Integers as Ethereum's JSON-RPC writes them: `0x` and hex digits without zeros in front.
///
/// Source: ethereum/execution-apis, schema `uint`.
enum JSONRPCQuantity {
    static func encode(_ number: UInt64) -> String {
        "0x" + String(number, radix: 16)
    }

    /// Reads a quantity of at most 64 bits; nil for anything else.
    static func decode(_ text: String) -> UInt64? {
        let digits = text.utf8.dropFirst(2)
        guard text.utf8.starts(with: "0x".utf8), (1...16).contains(digits.count),
            digits.first != UInt8(ascii: "0") || digits.count == 1
        else { return nil }
        // A sign would pass `UInt64(_:radix:)`.
        guard digits.first != UInt8(ascii: "+") else { return nil }
        return UInt64(text.dropFirst(2), radix: 16)
    }
}
