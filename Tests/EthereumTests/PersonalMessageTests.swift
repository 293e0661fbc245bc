import Ethereum
import Primitives
import TestSupport
import Testing

@Suite("Personal messages")
struct PersonalMessageTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let text: String
        let digest: String
        let signature: String
        var testDescription: String { "\(text.utf8.count) bytes" }
    }

    static let checkpoint =
        "Purser ledger checkpoint 1\nday: 2026-11-22\nentries: 42\nhash: 0x" + String(repeating: "ab", count: 32) + "\n"

    /// Made with eth-account 0.13 (`encode_defunct`, `Account.sign_message`) and the key 0x01 × 32.
    static let rows = [
        Row(
            text: "", digest: "0x5f35dce98ba4fba25530a026ed80b2cecdaa31091ba4958b99b52ea1d068adad",
            signature: "0x008f5fb3ee6d29e767bfb729dc8764c5178f4e8a872450f6a33f62442f9ecd88"
                + "3c3d1dc059a5a809bde6ed6299b99b3d5c4f0ed46d79ba01658ad7b7ef8f61151c"),
        Row(
            text: checkpoint, digest: "0xd7eb76dddc3cbbd4a8c7c6ec9de890cdad82d993c6a39f1cd7e3072bbf929253",
            signature: "0x9596bfa7773144fa33881fca1919ba74c81a86344474811a7d84f37e0bbf1b7d"
                + "07de4ae3bd6f7f63f31dcfe11468ee92fd3c633ffc11bb5f4c089ad10de652d41b"),
        Row(
            text: "Zahlmeister ₮", digest: "0x5e89d40685d7e9feb079c807765d2eb195de0a4f4aa4abf34329a4ba792d8cb3",
            signature: "0x4550a1df1894e1e763defc281993380465d531472d331f83383847c69b0b431a"
                + "42c3c7c50e947bf946408560fb8625a4ceff41a9f36056c631239f96d060e7201b"),
    ]

    @Test("texts are hashed and signed as eth-account does it", arguments: rows)
    func vectors(row: Row) throws {
        let context = try SignatureTests.context.get()
        let message = PersonalMessage(row.text)
        #expect(message.digest.description == row.digest)
        let key = [UInt8](repeating: 1, count: 32)
        #expect(try context.sign(digest: message.digest, key: key.span).hex == row.signature)
    }
}
