/// One JSON value as read, with the place of its text in the document.
package struct JSONValue: Sendable, Equatable {
    /// What the value is.
    package enum Kind: Sendable, Equatable {
        case null
        case bool(Bool)
        /// The number's own text, never converted to floating point.
        case number(String)
        case string(String)
        case array([JSONValue])
        /// Members in the order of the text; keys are unique, unless the outline of the document says otherwise.
        case object([JSONMember])
        /// A value whose text is known and nothing else, because the outline of its document names no more.
        case opaque
        /// A value that is JSON and cannot be read as the outline of its document asks, by what stands in it.
        case unreadable(JSONReader.Failure)
    }

    /// What the value is.
    package let kind: Kind
    /// Where its text stands in the bytes that were read.
    package let range: Range<Int>

    /// The member with this key, when the value is an object that has it.
    package subscript(key: String) -> JSONValue? {
        members?.first { $0.key == key }?.value
    }

    /// The members, when the value is an object.
    package var members: [JSONMember]? {
        if case .object(let members) = kind { members } else { nil }
    }

    /// The elements, when the value is an array.
    package var elements: [JSONValue]? {
        if case .array(let elements) = kind { elements } else { nil }
    }

    /// The text, when the value is a string.
    package var string: String? {
        if case .string(let text) = kind { text } else { nil }
    }

    /// The truth value, when the value is a boolean.
    package var bool: Bool? {
        if case .bool(let value) = kind { value } else { nil }
    }

    /// The number's text, when the value is a number.
    package var numberText: String? {
        if case .number(let text) = kind { text } else { nil }
    }

    /// The number as an integer, when it is written as one (no point, no exponent) and fits.
    package var integer: Int64? {
        numberText.flatMap { Int64($0) }
    }

    /// Whether the value is `null`.
    package var isNull: Bool { kind == .null }
}

/// One member of a JSON object.
package struct JSONMember: Sendable, Equatable {
    /// The key, unescaped.
    package let key: String
    /// The value.
    package let value: JSONValue

    /// Makes a member.
    package init(key: String, value: JSONValue) {
        self.key = key
        self.value = value
    }
}
