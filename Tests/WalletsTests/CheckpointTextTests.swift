import Ethereum
import Primitives
import SystemCrypto
import TestSupport
import Testing
import Wallets

@Suite("Checkpoints as wallets sign them")
struct CheckpointTextTests {
    private let context: Secp256k1Context
    private let key: SigningKey

    init() throws {
        context = try Secp256k1Context(seed: SeededRandom(seed: 1).bytes32())
        var bytes = [UInt8](repeating: 1, count: 32)
        key = try SigningKey(secret: SecretBytes.copyAndWipe(&bytes), context: context)
    }

    @Test("a checkpoint is signed as a personal message, as eth-account signs it")
    func signs() throws {
        let text =
            "Purser ledger checkpoint 1\nday: 2026-11-22\nentries: 42\nhash: 0x" + String(repeating: "ab", count: 32)
            + "\n"
        let checkpoint = try #require(CheckpointText(text))
        let signature = try key.sign(checkpoint: checkpoint)
        #expect(
            signature.hex == "0x9596bfa7773144fa33881fca1919ba74c81a86344474811a7d84f37e0bbf1b7d"
                + "07de4ae3bd6f7f63f31dcfe11468ee92fd3c633ffc11bb5f4c089ad10de652d41b")
        #expect(context.recover(digest: PersonalMessage(text).digest, signature: signature) == key.address)
    }

    @Test(
        "reject- texts that are no checkpoint",
        arguments: [
            "", "Purser ledger checkpoint 1", "Purser ledger checkpoint 2\n", " Purser ledger checkpoint 1\n",
            "purser ledger checkpoint 1\n", "Purser ledger checkpoint 1\r\n", "\u{19}\u{01}",
            "\u{19}Ethereum Signed Message:\n", "Purser ledger checkpoint 1\u{2028}",
        ])
    func refuses(text: String) {
        #expect(CheckpointText(text) == nil)
    }

    @Test("the digest of a checkpoint is none of typed data, whatever stands in it")
    func prefix() throws {
        // Typed data begins 0x19 0x01, personal messages 0x19 0x45: a hash of one cannot be presented as the other.
        let (separator, structHash) = (Bytes32.numbered(1), Bytes32.numbered(2))
        let content = separator.bytes + structHash.bytes
        let text = "Purser ledger checkpoint 1\n" + String(decoding: content, as: UTF8.self)
        let checkpoint = try #require(CheckpointText(text))
        #expect(checkpoint.message.digest != EIP712Domain.digest(separator: separator, structHash: structHash))
    }
}
