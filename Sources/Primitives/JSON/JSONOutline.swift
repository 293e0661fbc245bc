/// Which parts of a document are read.
///
/// The rest has to be JSON and is not looked at: it may be nested to any depth, repeat its keys, and hold texts that
/// programs read differently. A scalar where an outline expects members or elements is read; an array or object where it
/// expects something else stays ``JSONValue/Kind/opaque``.
package indirect enum JSONOutline: Sendable {
    /// Where the value stands, and nothing else of it.
    case text
    /// The whole value, as ``JSONReader/read(_:)`` reads it.
    case whole
    /// A value that is no array or object.
    case scalar
    /// An object's members with these keys, which must not repeat unless they are ``repeatable(_:)``; others are left out.
    case members([(key: String, outline: JSONOutline)])
    /// A member's value, of which an object may have several: each occurrence is kept, in the order of the text.
    case repeatable(JSONOutline)
    /// All members of an object whose keys can be read, repeated ones included.
    case allMembers(JSONOutline)
    /// The elements of an array, each read by itself: one that is JSON and cannot be read by the outline is
    /// ``JSONValue/Kind/unreadable(_:)``, and the others are read all the same.
    case elements(JSONOutline)

    /// Whether an object may have several members with this outline.
    var mayRepeat: Bool {
        if case .repeatable = self { true } else { false }
    }
}
