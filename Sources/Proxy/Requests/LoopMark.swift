import NIOCore
package import Primitives
import Transport

/// The mark by which a request is recognized that passed this proxy before: a `Purser-Via` field with the random names of the
/// proxies that it passed, of which this one's is new at each start.
///
/// It is sent where a request may come back from: to addresses of this machine and of private networks. The public internet's
/// servers do not get it, since it would show them which requests pass the same proxy. (`Via` itself, RFC 9110 section 7.6.3,
/// would make nginx send its answers uncompressed.) An agent may send whatever names it likes: at most its own request is
/// refused.
package struct LoopMark: Sendable {
    /// Proxies that a request may have passed.
    static let limit = 16
    private static let nameLength = 32

    private let name: [UInt8]
    private let line: ByteBuffer

    /// Makes a mark with a name of 128 random bits.
    package init(random: some RandomSource) throws(RandomnessUnavailable) {
        let name = Hex.encode(try random.bytes32().bytes.prefix(Self.nameLength / 2))
        self.name = Array(name.utf8)
        line = ByteBuffer(string: "purser-via: \(name)\r\n")
    }

    /// Whether a request has passed this proxy, or more others than one does.
    func isRepeated(in fields: FieldSection) -> Bool {
        guard fields.first(.purserVia) != nil else { return false }
        let names = Self.names(in: fields)
        return names.count >= Self.limit || names.contains { $0.elementsEqual(name) }
    }

    /// The line that a request gets: the names that it came with, and ours.
    func line(after fields: FieldSection) -> ByteBuffer {
        guard fields.first(.purserVia) != nil else { return line }
        let names = Self.names(in: fields).map { String(decoding: $0, as: UTF8.self) }
        return ByteBuffer(
            string: "purser-via: " + (names + [String(decoding: name, as: UTF8.self)]).joined(separator: ", ") + "\r\n")
    }

    /// The names in a request; what is none is left out.
    private static func names(in fields: FieldSection) -> [ArraySlice<UInt8>] {
        fields.lines.filter { $0.name == .purserVia }.flatMap { line in
            fields.value(line).split(separator: UInt8(ascii: ",")).map { element in
                let start = element.drop { $0 == 0x20 || $0 == 0x09 }
                return start.prefix { $0 != 0x20 && $0 != 0x09 }
            }
        }
        .filter { $0.count == nameLength && $0.allSatisfy(isDigit) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66)
    }
}
