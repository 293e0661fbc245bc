import Ethereum
import Primitives
import TestSupport
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test("a lower-case address gets its checksum", arguments: try Vectors.rows("eip55"))
    func checksum(row: Vectors.Row) throws {
        let address = try #require(Address(hex: row.string("lower")))
        #expect(try address.checksummed == row.string("eip55"))
        #expect(try Address(hex: row.string("eip55")) == address)
        #expect(try Address(hex: "0x" + row.string("lower").dropFirst(2).uppercased()) == address)
    }

    @Test("one letter in the wrong case is a wrong checksum; a single case carries none")
    func checksumValidity() {
        #expect(Address.isChecksumValid("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"))
        #expect(!Address.isChecksumValid("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"))
        #expect(Address.isChecksumValid("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"))
        #expect(Address.isChecksumValid("0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED"))
        #expect(Address.isChecksumValid("0x0000000000000000000000000000000000000000"))
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "0x", "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
            "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg",
            "0X5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", " 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beae",
            "0x0x5aaeb6053f3e94c9b9a09f33669435e7ef1bea", "0x５aaeb6053f3e94c9b9a09f33669435e7ef1be",
        ])
    func reject(text: String) {
        #expect(Address(hex: text) == nil)
        #expect(!Address.isChecksumValid(text))
    }

    @Test("bytes, words and text are three views of one address")
    func views() throws {
        let address = try #require(Address(1...20))
        #expect(address.bytes == Array(1...20))
        #expect(address.word.bytes == Array(repeating: 0, count: 12) + Array(1...20))
        #expect(Address(lastBytesOf: address.word) == address)
        #expect(Address(address.bytes.dropLast()) == nil)
        #expect(Address.zero.bytes == Array(repeating: 0, count: 20))
    }
}
