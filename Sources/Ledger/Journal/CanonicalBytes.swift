package import Primitives
import SystemCrypto

/// The one encoding that the ledger hashes: fields in a fixed order, each with its length in front.
///
/// A field is four bytes of length, big-endian, and so many bytes; a field without a value is the length 2^32 - 1 alone.
/// Numbers are decimal ASCII, texts UTF-8, hashes and keys 32 raw bytes.
///
/// Source: Specs/journal.md.
package struct CanonicalBytes: Sendable {
    private var bytes: [UInt8] = []

    /// Begins with the name of what is encoded, so that no two kinds of content can have the same bytes.
    package init(_ kind: String) {
        bytes.reserveCapacity(512)
        add(kind)
    }

    /// Adds raw bytes.
    package mutating func add(_ value: [UInt8]?) {
        guard let value else { return length(.max) }
        length(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// Adds a text.
    package mutating func add(_ value: String?) {
        guard let value else { return length(.max) }
        let text = value.utf8
        length(UInt32(text.count))
        bytes.append(contentsOf: text)
    }

    /// Adds a number.
    package mutating func add(_ value: Int64?) {
        add(value.map(String.init))
    }

    /// Adds 32 bytes.
    package mutating func add(_ value: Bytes32?) {
        guard let words = value?.words else { return length(.max) }
        length(32)
        add(word: words.0)
        add(word: words.1)
        add(word: words.2)
        add(word: words.3)
    }

    /// SHA-256 of everything added.
    package var hash: Bytes32 { SHA256.hash(bytes) }

    private mutating func add(word: UInt64) {
        length(UInt32(truncatingIfNeeded: word >> 32))
        length(UInt32(truncatingIfNeeded: word))
    }

    // Written out: a loop over shifts is not unrolled and costs as much as the hash.
    private mutating func length(_ count: UInt32) {
        let first = UInt8(truncatingIfNeeded: count >> 24)
        let second = UInt8(truncatingIfNeeded: count >> 16)
        let third = UInt8(truncatingIfNeeded: count >> 8)
        bytes.append(first)
        bytes.append(second)
        bytes.append(third)
        bytes.append(UInt8(truncatingIfNeeded: count))
    }
}
