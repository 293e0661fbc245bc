/// A field value with parameters (RFC 9110 section 5.6.6), such as `form-data; name="model"`, read strictly.
struct FieldParameters {
    /// What stands before the first semicolon, in lower case.
    let value: String
    /// The parameters in order.
    let parameters: [Parameter]

    /// `name=value`.
    struct Parameter {
        /// In lower case.
        let name: String
        /// Quotes and their escapes taken off.
        let value: [UInt8]
        /// Whether there were escapes, which some readers do not know.
        let isEscaped: Bool
    }

    /// Reads a value; nil for anything that is not well formed.
    init?(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        let value = Self.trimmed(rest.prefix { $0 != UInt8(ascii: ";") })
        guard !value.isEmpty, value.allSatisfy({ Self.isToken($0) || $0 == UInt8(ascii: "/") }) else { return nil }
        rest = rest.drop { $0 != UInt8(ascii: ";") }
        var parameters: [Parameter] = []
        while rest.popFirst() != nil {
            rest = rest.drop(while: Self.isBlank)
            // Empty parameters say nothing.
            guard let first = rest.first, first != UInt8(ascii: ";") else { continue }
            let name = rest.prefix(while: Self.isToken)
            rest = rest.dropFirst(name.count)
            guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "=") else { return nil }
            let raw = rest
            guard let value = Self.parameterValue(&rest) else { return nil }
            parameters.append(
                Parameter(
                    name: String(decoding: name, as: UTF8.self).lowercased(), value: value,
                    isEscaped: raw[..<rest.startIndex].contains(UInt8(ascii: "\\"))))
            rest = rest.drop(while: Self.isBlank)
            guard rest.isEmpty || rest.first == UInt8(ascii: ";") else { return nil }
        }
        self.value = String(decoding: value, as: UTF8.self).lowercased()
        self.parameters = parameters
    }

    /// A parameter that may stand once; nil where it is absent or repeated, has escapes, or is given in extended notation or
    /// in sections too (RFC 2231).
    func single(_ name: String) -> [UInt8]? {
        let found = parameters.filter { $0.name == name || $0.name.hasPrefix(name + "*") }
        return found.count == 1 && found[0].name == name && !found[0].isEscaped ? found[0].value : nil
    }

    /// Whether a parameter stands, in any notation.
    func has(_ name: String) -> Bool { parameters.contains { $0.name == name || $0.name.hasPrefix(name + "*") } }

    private static func parameterValue(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard rest.first == UInt8(ascii: "\"") else {
            let token = rest.prefix(while: isToken)
            rest = rest.dropFirst(token.count)
            return token.isEmpty ? nil : Array(token)
        }
        rest.removeFirst()
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return value
            case UInt8(ascii: "\\"):
                guard let escaped = rest.popFirst() else { return nil }
                value.append(escaped)
            default: value.append(byte)
            }
        }
        return nil
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop(while: isBlank)
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return bytes
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// RFC 9110 section 5.6.2.
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

/// A media type (RFC 9110 section 8.3.1).
struct MediaType {
    /// The type, in lower case.
    let type: Substring
    /// The subtype, in lower case.
    let subtype: Substring
    private let field: FieldParameters

    /// Reads a field value; nil for anything that is not well formed.
    init?(_ bytes: some Collection<UInt8>) {
        guard let field = FieldParameters(bytes) else { return nil }
        let parts = field.value.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
        (type, subtype, self.field) = (parts[0], parts[1], field)
    }

    /// Whether it is JSON: by its name, or by its suffix (RFC 6839).
    var isJSON: Bool {
        (type == "application" || type == "text") && subtype == "json" || subtype.hasSuffix("+json")
    }

    /// Whether texts of it are UTF-8, by what it says or does not say.
    var isUTF8: Bool {
        guard field.has("charset") else { return true }
        let names: Set<String> = ["utf-8", "utf8", "us-ascii", "ascii"]
        return field.single("charset").map { names.contains(String(decoding: $0, as: UTF8.self).lowercased()) } ?? false
    }

    /// The boundary of a multipart body; nil where there is none that RFC 2046 section 5.1.1 allows, or where readers may
    /// find another one: they search for the word, or decode what looks like an encoded word (RFC 2047).
    var boundary: [UInt8]? {
        guard isUTF8, field.parameters.allSatisfy({ ["boundary", "charset"].contains($0.name) }),
            let boundary = field.single("boundary"), !EncodedWord.mayBegin(in: boundary),
            (1...70).contains(boundary.count), boundary.last != 0x20,
            boundary.allSatisfy({ FieldParameters.isToken($0) || "'()+_,-./:=? ".utf8.contains($0) })
        else { return nil }
        return boundary
    }
}

/// Words such as `=?utf-8?B?bW9kZWw=?=` (RFC 2047), which some readers of field values decode.
enum EncodedWord {
    /// Whether there is the beginning of one.
    static func mayBegin(in bytes: some Collection<UInt8>) -> Bool {
        zip(bytes, bytes.dropFirst()).contains { $0 == UInt8(ascii: "=") && $1 == UInt8(ascii: "?") }
    }
}
