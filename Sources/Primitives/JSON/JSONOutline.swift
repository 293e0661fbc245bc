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
    /// An object's members with these keys, which must not repeat; others are left out.
    case members([(key: String, outline: JSONOutline)])
    /// All members of an object whose keys can be read, repeated ones included.
    case allMembers(JSONOutline)
    /// The elements of an array.
    case elements(JSONOutline)
}
