internal import Primitives
package import SystemCrypto

/// A private key as other tools export it: 64 hex digits, with or without `0x` in front.
package enum PrivateKeyText {
    /// Reads the digits from one piece of locked memory into another.
    package static func decode(_ text: SecretBytes) throws(SecretReadError) -> SecretBytes {
        do {
            return try SecretBytes(capacity: 32) { key in
                text.withBytes { digits -> Int? in
                    var start = 0
                    if digits.count == 66, digits[0] == 0x30, digits[1] | 0x20 == 0x78 { start = 2 }
                    guard digits.count - start == 64 else { return nil }
                    for index in 0..<32 {
                        guard let high = Hex.value(of: digits[start + 2 * index]),
                            let low = Hex.value(of: digits[start + 2 * index + 1])
                        else { return nil }
                        key[index] = high << 4 | low
                    }
                    return 32
                }
            }
        } catch .notFilled {
            throw .notAPrivateKey
        } catch {
            throw .memory(error)
        }
    }
}
