package import Primitives

/// A 20-byte account or contract address.
package struct Address: Hashable, Sendable {
    /// The first four bytes, big-endian.
    private let high: UInt32
    /// The next eight bytes.
    private let middle: UInt64
    /// The last eight bytes.
    private let low: UInt64

    /// The address without an owner, which stands for "nobody".
    package static let zero = Address(lastBytesOf: .zero)

    /// Makes an address from the last 20 bytes of a word: of an ABI word, or of a public key's hash.
    package init(lastBytesOf word: Bytes32) {
        self.high = UInt32(truncatingIfNeeded: word.words.1)
        self.middle = word.words.2
        self.low = word.words.3
    }

    /// Makes an address from a collection; nil unless it holds exactly 20 bytes.
    package init?(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == 20, let word = Bytes32([UInt8](repeating: 0, count: 12) + bytes) else { return nil }
        self.init(lastBytesOf: word)
    }

    /// Reads `0x` and 40 hex digits of either case, whatever checksum their case may spell; nil for anything else.
    package init?(hex text: some StringProtocol) {
        guard text.utf8.count == 42, text.utf8.starts(with: "0x".utf8), let bytes = Hex.decode(text) else {
            return nil
        }
        self.init(bytes)
    }

    /// The address as an ABI word: 12 zero bytes in front.
    package var word: Bytes32 {
        Bytes32(words: (0, UInt64(high), middle, low))
    }

    /// The 20 bytes in order.
    package var bytes: [UInt8] {
        Array(word.bytes.dropFirst(12))
    }
}

extension Address: CustomStringConvertible {
    /// The checksummed text.
    package var description: String { checksummed }

    /// `0x` and 40 hex digits whose case is the checksum of EIP-55.
    package var checksummed: String {
        let digits = Array(Hex.encode(bytes).utf8)
        let hash = Keccak256.hash(digits).bytes
        let text = [UInt8](capacity: 42) { output in
            output.append(UInt8(ascii: "0"))
            output.append(UInt8(ascii: "x"))
            for (index, digit) in digits.enumerated() {
                let nibble = index.isMultiple(of: 2) ? hash[index / 2] >> 4 : hash[index / 2] & 15
                output.append(nibble >= 8 && digit >= UInt8(ascii: "a") ? digit & 0xdf : digit)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether a text is an address without a wrong checksum.
    ///
    /// Text whose letters are all of one case carries no checksum and passes; mixed case has to match EIP-55 exactly.
    package static func isChecksumValid(_ text: some StringProtocol) -> Bool {
        guard let address = Address(hex: text) else { return false }
        let letters = text.utf8.dropFirst(2).filter { !$0.isASCIIDigit }
        let lowerCase = letters.filter { $0 >= UInt8(ascii: "a") }.count
        if lowerCase == 0 || lowerCase == letters.count { return true }
        return text.utf8.elementsEqual(address.checksummed.utf8)
    }
}
