/// Builds JSON text in the order it is told to, without a detour over an object tree.
///
/// ```swift
/// var text = JSONText()
/// text.object { $0.field("agent", "scout"); $0.field("count", 3) }
/// ```
package struct JSONText: Sendable {
    /// The UTF-8 text so far.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// An empty text.
    package init() {}

    /// The text as a string.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func key(_ name: String) {
        separate()
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func wrap(_ open: UInt8, _ close: UInt8, _ body: (inout JSONText) -> Void) {
        separate()
        bytes.append(open)
        needsComma = false
        body(&self)
        bytes.append(close)
        needsComma = true
    }

    /// Adds an object as the next element.
    package mutating func object(_ body: (inout JSONText) -> Void) { wrap(UInt8(ascii: "{"), UInt8(ascii: "}"), body) }

    /// Adds an array as the next element.
    package mutating func array(_ body: (inout JSONText) -> Void) { wrap(UInt8(ascii: "["), UInt8(ascii: "]"), body) }

    /// Adds an object as a member.
    package mutating func object(_ name: String, _ body: (inout JSONText) -> Void) {
        key(name)
        object(body)
    }

    /// Adds an array as a member.
    package mutating func array(_ name: String, _ body: (inout JSONText) -> Void) {
        key(name)
        array(body)
    }

    /// Adds a string as the next element.
    package mutating func element(_ value: String) {
        separate()
        appendQuoted(value)
    }

    /// Adds a string member.
    package mutating func field(_ name: String, _ value: String) {
        key(name)
        element(value)
    }

    /// Adds a string member, or nothing when there is no value: an explicit null breaks strict readers of x402.
    package mutating func field(_ name: String, optional value: String?) {
        if let value { field(name, value) }
    }

    /// Adds an integer member.
    package mutating func field(_ name: String, _ value: Int64) {
        key(name)
        raw("\(value)".utf8)
    }

    /// Adds a boolean member.
    package mutating func field(_ name: String, _ value: Bool) {
        key(name)
        raw((value ? "true" : "false").utf8)
    }

    /// Adds a member whose value is JSON text already; the caller vouches for its syntax.
    package mutating func field(_ name: String, raw text: some Sequence<UInt8>) {
        key(name)
        raw(text)
    }

    /// Adds an element that is JSON text already; the caller vouches for its syntax.
    package mutating func raw(_ text: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: text)
    }

    private mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        defer { bytes.append(UInt8(ascii: "\"")) }
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        // Most texts have nothing to escape.
        guard bytes[start...].contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c || $0 == 0x7f }) else { return }
        bytes.removeSubrange(start...)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0a: bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case 0x00..<0x20, 0x7f:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(contentsOf: Hex.encode([byte]).utf8)
            default: bytes.append(byte)
            }
        }
    }
}
