import Primitives
import SystemCrypto
import Transport

/// The agent's own name for a request, by which a repetition is told from a second one.
enum IdempotencyKey {
    /// The field stands twice, or its value is none.
    struct Malformed: Error {}

    /// The most bytes of a key.
    static let limit = 255

    /// The hash by which the books know the key of a request; nil when it has none.
    static func hash(in section: FieldSection) throws(Malformed) -> Bytes32? {
        guard let line = section.first(.idempotencyKey) else { return nil }
        let value = section.value(line)
        guard section.lines.filter({ $0.name == .idempotencyKey }).count == 1, (1...limit).contains(value.count),
            value.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { throw Malformed() }
        return SHA256.hash(value)
    }
}
