import Foundation
import Primitives

/// JSON: what we read, another reader reads alike, and it can be written and read again.
enum JSONInvariants {
    static func check(_ input: [UInt8]) throws(BrokenInvariant) {
        try outlined(input)
        guard let value = try? JSONReader.read(input) else { return }
        try hold(String(validating: input, as: UTF8.self) != nil, "what is read is UTF-8")
        try places(value, in: input, within: input.indices)
        let text = written(value)
        guard let again = try? JSONReader.read(text) else { throw BrokenInvariant("what is written can be read") }
        try hold(isSame(value, again), "writing and reading changes nothing")
        try hold(written(again) == text, "what was written is written the same again")
        try secondReader(value, input)
        let echo = value.isNull ? input : text
        guard (try? JSONReader.read(echo)) != nil else { throw BrokenInvariant("an echo can be read") }
    }

    /// What is stepped over is what is read: an outline changes how much is known, and not what is JSON.
    private static func outlined(_ input: [UInt8]) throws(BrokenInvariant) {
        let strict = try? JSONReader.read(input)
        let text = try? JSONReader.read(input, outline: .text)
        try hold(strict == nil || text?.range == strict?.range, "what is read can be stepped over")
        guard let text else { return }
        let kept = text.textWithoutNulls(in: input)
        guard let again = try? JSONReader.read(kept, outline: .text) else {
            throw BrokenInvariant("what is left without nulls is JSON")
        }
        try hold(again.textWithoutNulls(in: kept) == kept, "no null is left")
        guard let whole = try? JSONReader.read(input, outline: .whole) else { return }
        try hold(strict == whole, "the whole is what a strict reader reads")
        let members = try? JSONReader.read(input, outline: .allMembers(.whole))
        try hold(members?.members == strict?.members, "all members are what a strict reader reads")
    }

    /// Whether two values say the same, texts compared byte by byte.
    static func isSame(_ left: JSONValue, _ right: JSONValue) -> Bool {
        switch (left.kind, right.kind) {
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.number(let left), .number(let right)): left == right
        case (.array(let left), .array(let right)):
            left.count == right.count && zip(left, right).allSatisfy { isSame($0, $1) }
        case (.object(let left), .object(let right)):
            left.count == right.count
                && zip(left, right).allSatisfy { $0.key.utf8.elementsEqual($1.key.utf8) && isSame($0.value, $1.value) }
        default: left.kind == right.kind
        }
    }

    /// A value written anew, member by member.
    static func written(_ value: JSONValue) -> [UInt8] {
        var text = JSONText()
        write(value, to: &text)
        return text.bytes
    }

    private static func write(_ value: JSONValue, to text: inout JSONText) {
        switch value.kind {
        case .null: text.raw("null".utf8)
        case .bool(let value): text.raw((value ? "true" : "false").utf8)
        case .number(let number): text.raw(number.utf8)
        case .string(let string): text.element(string)
        case .array(let elements):
            text.array { array in
                for element in elements { write(element, to: &array) }
            }
        case .object(let members):
            text.object { object in
                for member in members { object.field(member.key, raw: written(member.value)) }
            }
        case .opaque, .unreadable: break
        }
    }

    /// Every value stands where it says, in the order of the text, and reads alone as it reads in its document.
    private static func places(
        _ value: JSONValue, in input: [UInt8], within outer: Range<Int>
    ) throws(BrokenInvariant) {
        let range = value.range
        try hold(!range.isEmpty && range.clamped(to: outer) == range, "a value stands within its parent")
        var start = range.lowerBound
        for child in value.elements ?? value.members?.map(\.value) ?? [] {
            try hold(child.range.lowerBound > start, "values stand in order")
            try places(child, in: input, within: range)
            start = child.range.upperBound - 1
        }
        if value.elements == nil, value.members == nil {
            guard let alone = try? JSONReader.read(Array(input[range])), isSame(alone, value) else {
                throw BrokenInvariant("a value reads alone as in its document")
            }
        }
    }

    /// Foundation has no number for some texts that are JSON; with such a number in it, a document is left out.
    private static func secondReader(_ value: JSONValue, _ input: [UInt8]) throws(BrokenInvariant) {
        guard hasPlainNumbers(value) else { return }
        let theirs: Any
        do {
            theirs = try JSONSerialization.jsonObject(with: Data(input), options: .fragmentsAllowed)
        } catch {
            throw BrokenInvariant("another reader reads it too: \(error)")
        }
        try hold(isSame(value, theirs), "another reader reads the same")
    }

    private static func hasPlainNumbers(_ value: JSONValue) -> Bool {
        switch value.kind {
        case .number(let text): text.utf8.count <= 15 && Int64(text) != nil
        case .array(let elements): elements.allSatisfy(hasPlainNumbers)
        case .object(let members): members.allSatisfy { hasPlainNumbers($0.value) }
        default: true
        }
    }

    private static func isSame(_ value: JSONValue, _ theirs: Any) -> Bool {
        switch value.kind {
        case .null: theirs is NSNull
        case .bool(let flag): (theirs as? Bool) == flag
        case .number(let text): (theirs as? NSNumber)?.int64Value == Int64(text)
        case .string(let text): (theirs as? String)?.utf8.elementsEqual(text.utf8) ?? false
        case .array(let elements):
            (theirs as? [Any]).map { $0.count == elements.count && zip(elements, $0).allSatisfy { isSame($0, $1) } }
                ?? false
        case .object(let members):
            (theirs as? [String: Any]).map { object in
                object.count == members.count
                    && members.allSatisfy { member in object[member.key].map { isSame(member.value, $0) } ?? false }
            } ?? false
        case .opaque, .unreadable: false
        }
    }
}
