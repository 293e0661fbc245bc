import Primitives
import TestSupport
import Testing

@Suite("Base 64 and hex")
struct TextTests {
    @Test("everything a seller may do to base 64 gives one value")
    func lenient() throws {
        let entry = try Vectors.entry("lenient-decoding")
        let standard = try #require(entry["standard"]?.string)
        let expected = try #require(Base64.decodeLenient(standard.utf8))
        #expect(Base64.encode(expected) == standard)
        let accepted = try #require(entry["accept"]?.elements?.compactMap(\.string).filter { !$0.hasPrefix("{") })
        #expect(accepted.count == 5)
        for text in accepted { #expect(Base64.decodeLenient(text.utf8) == expected) }
    }

    @Test(
        "RFC 4648's examples",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func examples(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decodeLenient(encoded.utf8) == Array(plain.utf8))
        #expect(Base64.decodeLenient(encoded.utf8.filter { $0 != UInt8(ascii: "=") }) == Array(plain.utf8))
    }

    @Test(
        "text that is not base 64, or has two readings, is refused",
        arguments: ["Z", "Zg=", "Zg===", "=", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm=v", "Zm9v====", "Zm9*"])
    func rejectedBase64(text: String) {
        #expect(Base64.decodeLenient(text.utf8) == nil)
    }

    @Test("hex is written in lower case and read in either")
    func hex() {
        #expect(Hex.prefixed([0x00, 0xab, 0xff]) == "0x00abff")
        #expect(Hex.decode("0x00ABff") == [0x00, 0xab, 0xff])
        #expect(Hex.decode("") == [])
        #expect(Hex.decode("0x") == [])
        for text in ["0", "0x0", "0xgg", "0X00", "0x0x", "é"] { #expect(Hex.decode(text) == nil) }
    }

    @Test("32 bytes are 32 bytes")
    func bytes32() throws {
        let value = try #require(Bytes32(0..<32))
        #expect(value.bytes == Array(0..<32))
        #expect(value.description == "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
        #expect(Bytes32(0..<31) == nil)
        #expect(Bytes32(0..<33) == nil)
        #expect(Bytes32(repeatElement(0, count: 32)) == .zero)
    }
}
