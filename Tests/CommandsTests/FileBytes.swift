#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The bytes of a file; empty when it cannot be read.
func bytes(of path: String) -> [UInt8] {
    guard let file = unsafe fopen(path, "rb") else { return [] }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe fread(&chunk, 1, chunk.count, file)
        guard count > 0 else { return bytes }
        bytes += chunk[..<count]
    }
}

extension [UInt8] {
    /// Puts a text in place of every occurrence of another one of the same length.
    mutating func replace(_ old: String, with new: String) {
        let (old, new) = (Array(old.utf8), Array(new.utf8))
        var index = 0
        while index + old.count <= count {
            if self[index..<(index + old.count)].elementsEqual(old) {
                replaceSubrange(index..<(index + old.count), with: new)
            }
            index += 1
        }
    }
}
