import Primitives

/// Bytes as Ethereum's JSON-RPC writes them: `0x` and two digits for each.
enum JSONRPCData {
    /// Reads bytes; nil without the `0x`, for an odd count or a foreign character.
    static func decode(_ text: String) -> [UInt8]? {
        text.utf8.starts(with: "0x".utf8) ? Hex.decode(text) : nil
    }
}
