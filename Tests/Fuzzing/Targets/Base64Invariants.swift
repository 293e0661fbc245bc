import Primitives

/// Base 64: what is decoded has one canonical spelling, and every spelling of it decodes to the same bytes.
enum Base64Invariants {
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        let plain = Base64.encode(input)
        try hold(Base64.decodeLenient(plain.utf8) == input, "what is encoded decodes to itself")
        guard let bytes = Base64.decodeLenient(input) else {
            let text = String(decoding: input, as: UTF8.self)
            try hold(Base64.decodeURLSafe(text) == nil, "the strict reader accepts no more than the lenient one")
            return
        }
        let encoded = Base64.encode(bytes)
        try hold(Base64.decodeLenient(encoded.utf8) == bytes, "decoding, encoding and decoding is stable")
        // Without blanks, padding and alphabet, the canonical spelling is the only one there is.
        let blank: Set<UInt8> = [0x20, 0x09, UInt8(ascii: "=")]
        let letters = input.filter { !blank.contains($0) }.map(Self.standard)
        try hold(letters == encoded.utf8.filter { $0 != UInt8(ascii: "=") }, "leftover bits are zero")
        let safe = letters.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? 0x5f : $0 }
        try hold(Base64.decodeURLSafe(String(decoding: safe, as: UTF8.self)) == bytes, "both alphabets say the same")
    }

    private static func standard(_ letter: UInt8) -> UInt8 {
        letter == UInt8(ascii: "-") ? UInt8(ascii: "+") : letter == 0x5f ? UInt8(ascii: "/") : letter
    }
}
