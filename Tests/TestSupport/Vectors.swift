package import Primitives

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads the repository's own files for tests: the vectors of `Specs`, the keystores of `Wallets`.
package enum Vectors {
    /// Why a test's input could not be read.
    package enum Failure: Error {
        /// The file is missing or unreadable.
        case unreadable(path: String)
        /// The document has no entry of this name.
        case missing(String)
    }

    /// One row of a table of vectors; its name shows up in the test's title.
    package struct Row: Sendable, CustomStringConvertible {
        /// What the row is about.
        package let description: String
        /// The row.
        package let value: JSONValue

        /// Makes a row.
        package init(description: String, value: JSONValue) {
            self.description = description
            self.value = value
        }

        /// A string member; throws when it is absent.
        package func string(_ key: String) throws -> String {
            guard let text = value[key]?.string else { throw Failure.missing("\(description): \(key)") }
            return text
        }
    }

    /// The repository's root, found from this file's place in it.
    package static var root: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    }

    /// The bytes of a file; `path` is relative to the repository's root.
    package static func bytes(of path: String) throws -> [UInt8] {
        try bytes(atPath: root + "/" + path)
    }

    /// The bytes of a file anywhere.
    package static func bytes(atPath path: String) throws -> [UInt8] {
        guard let file = unsafe fopen(path, "rb") else { throw Failure.unreadable(path: path) }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// A JSON document; `path` is relative to the repository's root.
    package static func document(_ path: String) throws -> JSONValue {
        try JSONReader.read(bytes(of: path))
    }

    private static let x402 = Result { try document("Specs/vectors/x402-vectors.json") }

    /// The entry of `x402-vectors.json` with this id.
    package static func entry(_ id: String) throws -> JSONValue {
        let entries = try x402.get()["vectors"]?.elements ?? []
        guard let entry = entries.first(where: { $0["id"]?.string == id }) else { throw Failure.missing(id) }
        return entry
    }

    /// The entries of `x402-vectors.json` whose id starts with a prefix, named by their ids; never empty.
    package static func entries(prefix: String) throws -> [Row] {
        let entries = try x402.get()["vectors"]?.elements ?? []
        let rows = entries.compactMap { entry -> Row? in
            guard let id = entry["id"]?.string, id.hasPrefix(prefix) else { return nil }
            return Row(description: id, value: entry)
        }
        guard !rows.isEmpty else { throw Failure.missing(prefix) }
        return rows
    }

    /// The `rows` of an entry, named by their index and first text; never empty.
    package static func rows(_ id: String) throws -> [Row] {
        let rows = try entry(id)["rows"]?.elements ?? []
        guard !rows.isEmpty else { throw Failure.missing("\(id).rows") }
        return rows.enumerated().map { index, row in
            let name = row.members?.lazy.compactMap(\.value.string).first ?? ""
            return Row(description: "\(index): \(name.prefix(60))", value: row)
        }
    }
}
