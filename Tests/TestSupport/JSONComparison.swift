package import Primitives

extension JSONValue {
    /// The value with members sorted by key and strings unescaped: equal for equal JSON, whoever wrote it.
    package var canonical: String {
        switch kind {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): text
        case .string(let text): text.debugDescription
        case .array(let elements): "[" + elements.map(\.canonical).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\($0.key.debugDescription):\($0.value.canonical)" }
                .joined(separator: ",") + "}"
        case .opaque: "opaque"
        case .unreadable(let failure): "unreadable: \(failure)"
        }
    }

    /// The value of a JSON text, in the form of ``canonical``.
    package static func canonical(_ text: some Sequence<UInt8>) throws -> String {
        try JSONReader.read(Array(text)).canonical
    }
}
