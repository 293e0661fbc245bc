import Primitives
import Testing

@Suite("Base 58")
struct Base58Tests {
    @Test(
        "the draft's examples are decoded",
        arguments: [
            ("2NEpo7TZRRrLZSi2U", "48656c6c6f20576f726c6421"), ("", ""), ("1", "00"), ("11", "0000"),
            (
                "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
                "54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e"
            ),
            ("11233QC4", "0000287fb4cd"),
        ])
    func examples(text: String, bytes: String) throws {
        #expect(try Hex.encode(#require(Base58.decode(text))) == bytes)
    }

    @Test("reject- foreign characters and lookalikes", arguments: ["0", "O", "I", "l", "a b", "a+", "é", "z\n"])
    func foreign(text: String) {
        #expect(Base58.decode(text) == nil)
    }

    @Test("reject- texts longer than the limit, before any work")
    func length() {
        #expect(Base58.decode(String(repeating: "z", count: Base58.maximumLength)) != nil)
        #expect(Base58.decode(String(repeating: "z", count: Base58.maximumLength + 1)) == nil)
        #expect(Base58.decode(String(repeating: "1", count: 1 << 20)) == nil)
    }

    @Test("url-safe text is taken without padding and in no other spelling")
    func urlSafe() {
        #expect(Base64.decodeURLSafe("-_-_") == [0xfb, 0xff, 0xbf])
        #expect(Base64.decodeURLSafe("") == [])
        for text in ["+/+/", "-_-_====", "YQ==", "YQ=", " YQ", "YQ ", "YQ\t", "YR", "A", "YQ\n", "Y.Q"] {
            #expect(Base64.decodeURLSafe(text) == nil, "\(text)")
        }
    }
}
